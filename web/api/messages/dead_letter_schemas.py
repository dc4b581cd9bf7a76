"""What the API takes and gives about dead letters."""

from __future__ import annotations

from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from web.api.messages.schemas import Before, Direction, Limit
from web.api.tenants.schemas import Moment, ProviderId, RequestModel
from web.request.wording import wrong


class DeadLetterQuery(RequestModel):
    line_id: UUID | None = None
    direction: Direction | None = None
    reason_code: ProviderId | None = None
    since: Moment | None = Field(None, description="arrived then or later")
    limit: Limit = 50
    before: Before | None = None


class Replay(RequestModel):
    """Either `ids`, or `all` with filters."""

    ids: list[UUID] = Field(default_factory=list, max_length=500)
    all: Literal[True] | None = Field(None, description="of the tenant, oldest first, 500 or a few more at a time")
    line_id: UUID | None = None
    direction: Direction | None = None
    reason_code: ProviderId | None = None
    since: Moment | None = Field(None, description="arrived then or later")
    died_before: Moment | None = Field(None, description="left out: now; keeps what dies anew out")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.ids) == bool(self.all):
            text = "must be left out where `all` is true" if self.ids else "must name messages, unless `all` is true"
            raise wrong({"ids": text})
        return self


class RefusedOut(BaseModel):
    id: str
    reason: str


class ReplayOut(BaseModel):
    replayed: int
    refused: list[RefusedOut] = Field(description="what was named and left as it is, and why")
    left: int = Field(description="how many still match, counted up to 10,000")
    next: Replay | None = Field(description="the body of the next request; null at the end")


class BrokerQuery(RequestModel):
    limit: int = Field(20, ge=1, le=100)


class BrokerReplay(RequestModel):
    limit: int = Field(100, ge=1, le=100)


class BrokerLetterOut(BaseModel):
    reason: str
    size: int = Field(description="in bytes")
    readable: bool = Field(description="whether it can be told where it belongs")
    proved: bool = Field(description="whether its signature counts for its line now; only then it can be brought back")
    channel: str | None
    tenant_id: str | None
    line_id: str | None
    arrived_at: float | None = Field(description="Unix seconds")
    payload: Any = Field(description="as the provider sent it, secrets masked")


class BrokerLetters(BaseModel):
    waiting: int
    items: list[BrokerLetterOut]


class BrokerReplayed(BaseModel):
    replayed: int
    stayed: int = Field(description="what cannot be told where it belongs")
    left: int
