"""What the API takes and tells of endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from db.endpoints.registry import MOST
from relay.core.endpoints.kinds import KINDS, TEST
from web.api.messages.schemas import Limit, ResponseModel
from web.api.tenants.schemas import Name, RequestModel, TenantPath

EventState = Literal["waiting", "delivered", "dead"]


def _kind(value: str) -> str:
    if value not in KINDS:
        raise ValueError(f"is no event; there are {', '.join(KINDS)}")
    return value


Kinds = Annotated[
    list[Annotated[str, Field(max_length=40), AfterValidator(_kind)]],
    Field(min_length=1, max_length=len(KINDS), description="what it is to be told", examples=[["message.received"]]),
]
Url = Annotated[
    str,
    Field(
        min_length=1, max_length=2000, description="https, and public", examples=["https://hooks.shop.example/relay"]
    ),
]
Contents = Annotated[bool, Field(description="also what was said, and by whom")]


class EndpointPath(TenantPath):
    endpoint_id: UUID


class EventPath(EndpointPath):
    event_id: UUID


class EndpointCreate(RequestModel):
    url: Url
    name: Name | None = Field(None, description="for people")
    kinds: Kinds | None = Field(None, description="left out: all")
    contents: Contents = False


class EndpointChange(RequestModel):
    """What is left out stays."""

    url: Url | None = None
    name: Name | None = None
    kinds: Kinds | None = None
    contents: Contents | None = None
    active: bool | None = Field(None, description="false: it is told nothing, and what waits for it ends with its day")


class EndpointOut(ResponseModel):
    id: str
    url: str
    name: str
    kinds: list[str]
    contents: bool
    active: bool
    off_reason: str | None = Field(description="why it was switched off by itself")
    created_at: datetime
    trouble: str | None = Field(description="why the last post failed; null: it takes what it is told")
    rests_until: datetime | None = Field(description="nothing is posted before, since it only failed")


class EndpointDetail(EndpointOut):
    waiting: int = Field(description="events, counted up to 10,000")
    dead: int = Field(description="the same of dead letters")


class EndpointCreated(EndpointOut):
    secret: str = Field(description="what events are signed with; it is not shown again")


class EndpointList(BaseModel):
    items: list[EndpointOut] = Field(description=f"no more than {MOST}")


class SecretRotated(BaseModel):
    secret: str = Field(description="the new one; it is not shown again")
    former_until: datetime = Field(description="until then each event is signed with the former one as well")


class TestSent(BaseModel):
    event_id: str = Field(description="what became of it is in the log")


class EventQuery(RequestModel):
    state: EventState = "delivered"
    before: int | None = Field(None, ge=0, le=2**62, description="the `place` of the last one seen")
    limit: Limit = 50


class EventOut(ResponseModel):
    id: str
    kind: str
    at: datetime
    state: EventState
    attempts: int
    due_at: datetime | None = Field(description="of one that waits: not before; null: in its turn")
    ended_at: datetime | None
    reason: str | None = Field(description="why the last post failed")
    message_id: str | None
    place: int


class EventList(BaseModel):
    items: list[EventOut]


class PostOut(ResponseModel):
    n: int
    at: datetime
    seconds: float
    status: int | None = Field(description="what the endpoint answered; null: nothing")
    code: str | None = Field(description="null: it was taken")
    detail: str | None
    answer: str | None = Field(description="the beginning of what it answered, without secrets")


class PostList(BaseModel):
    items: list[PostOut]


class EventFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: str
    mime_type: str | None
    name: str | None


class EventContact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    wa_id: str | None
    bsuid: str | None
    name: str | None


class EventContent(BaseModel):
    """What was said, and by whom; for endpoints that want contents."""

    model_config = ConfigDict(extra="forbid")
    text: str | None
    file: EventFile | None
    contact: EventContact


class EventData(BaseModel):
    """Which fields there are is told by `type`."""

    model_config = ConfigDict(extra="forbid")
    tenant_id: UUID
    line_id: UUID | None = None
    conversation_id: UUID | None = None
    message_id: UUID | None = None
    direction: Literal["inbound", "outbound"] | None = Field(None, description="inbound: to Genesys")
    type: str | None = Field(None, description="the sending provider's word for the kind of message")
    origin: str | None = None
    state: str | None = None
    reason_code: str | None = None
    reason: str | None = None
    genesys_conversation_id: str | None = None
    side: Literal["whatsapp", "genesys"] | None = Field(None, description="whose credentials it is about")
    health: str | None = None
    endpoint_id: UUID | None = None
    content: EventContent | None = None


class PostedEvent(BaseModel):
    """What an endpoint is posted; its id stands in the header `webhook-id`."""

    model_config = ConfigDict(extra="forbid")
    type: str = Field(description=", ".join([*KINDS, TEST]))
    timestamp: datetime = Field(description="when the relay learned of it")
    data: EventData


class EventReplay(RequestModel):
    ids: list[UUID] | None = Field(
        None, min_length=1, max_length=200, description="dead letters; left out: the oldest 1,000 of the endpoint"
    )


class EventsReplayed(BaseModel):
    replayed: int
