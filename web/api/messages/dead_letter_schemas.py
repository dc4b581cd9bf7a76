"""What the API takes and gives about dead letters."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from db.mailbox.dead_letters import AT_ONCE
from web.api.messages.schemas import Before, Direction, Limit, ResponseModel
from web.api.tenants.schemas import Moment, ProviderId, RequestModel


class DeadLetterQuery(RequestModel):
    line_id: UUID | None = None
    direction: Direction | None = None
    reason_code: ProviderId | None = None
    since: Moment | None = Field(None, description="arrived then or later")
    until: Moment | None = Field(None, description="arrived before then")
    limit: Limit = 50
    before: Before | None = None


class DeadLetterIds(RequestModel):
    ids: list[UUID] = Field(min_length=1, max_length=AT_ONCE)


class ReasonsQuery(RequestModel):
    line_id: UUID | None = None
    direction: Direction | None = None
    since: Moment | None = Field(None, description="arrived then or later")
    until: Moment | None = Field(None, description="arrived before then")


class ReasonOut(ResponseModel):
    code: str | None
    text: str = Field(description="what was said last")
    count: int


class Reasons(BaseModel):
    items: list[ReasonOut]


class RefusedOut(BaseModel):
    id: str
    reason: str


class SentAgain(BaseModel):
    replayed: int
    refused: list[RefusedOut] = Field(description="what was named and left as it is, and why")


class BrokerQuery(RequestModel):
    limit: int = Field(20, ge=1, le=1000)


class BrokerReplay(RequestModel):
    limit: int = Field(1000, ge=1, le=1000, description="so many at most go back; those that stay do not count")


class BrokerLetterOut(ResponseModel):
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


class BrokerReplayed(ResponseModel):
    replayed: int
    stayed: int = Field(description="what nobody can tell where it belongs, or whose signature counts no more")
    left: int
