"""What the API takes and gives about numbers that no line owns."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from web.api.tenants.schemas import ProviderId, RequestModel


class UnknownOut(BaseModel):
    channel: Literal["whatsapp", "genesys"]
    line_ref: str = Field(description="empty: what could not be read, and news of accounts")
    signer: str = Field(description="a digest of the secret that signed it; empty: kept before this was noted")
    tenant_id: str | None = Field(description="whose secret that was; null: the operator's app")
    tenant: str | None = Field(description="that tenant's name")
    waiting: int
    first_at: datetime
    last_at: datetime
    reason: str


class UnknownList(BaseModel):
    items: list[UnknownOut]


class UnknownPath(BaseModel):
    channel: Literal["whatsapp", "genesys"]
    line_ref: ProviderId


class UnknownChannelPath(BaseModel):
    channel: Literal["whatsapp", "genesys"]


class SignerQuery(RequestModel):
    signer: str | None = Field(None, pattern="^(|[0-9a-f]{32})$", description="only what this one signed")


class Deleted(BaseModel):
    deleted: int
    left: int = Field(description="ask again until it is 0")


class UnknownReplayed(BaseModel):
    replayed: int
    left: int = Field(description="ask again until it is 0")
    not_proved: int = Field(description="signed with no secret that counts for this line: these stay")
