"""What the API takes and gives about conversations and messages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from web.api.messages.state_schemas import ThreadOut, WindowOut
from web.api.tenants.schemas import Moment, Name, ProviderId, RequestModel

Direction = Literal["inbound", "outbound"]
State = Literal["received", "sending", "sent", "delivered", "read", "failed", "unknown", "dead", "ignored", "record"]
Before = Annotated[str, Field(max_length=200, description="the `next` of the page before")]
Limit = Annotated[int, Field(ge=1, le=200)]


class ResponseModel(BaseModel):
    """Base of what is made from a value of the database."""

    model_config = ConfigDict(from_attributes=True)


class MessageQuery(RequestModel):
    conversation_id: UUID | None = None
    line_id: UUID | None = None
    direction: Direction | None = None
    state: list[State] = Field([], max_length=10, description="may be repeated")
    since: Moment | None = Field(None, description="arrived then or later")
    until: Moment | None = Field(None, description="arrived before then")
    reference: ProviderId | None = Field(None, description="our id, or either provider's id of the message")
    q: Name | None = Field(None, description="the beginning of the contact's number; up to 50 contacts")
    limit: Limit = 50
    before: Before | None = None


class MessagePath(BaseModel):
    message_id: UUID


class MediaOut(ResponseModel):
    kind: str
    mime_type: str
    filename: str | None
    size: int | None
    caption: str | None
    voice: bool
    kept: bool = Field(description="whether there is a copy in the object store")


class MessageOut(ResponseModel):
    id: str
    tenant_id: str
    line_id: str
    conversation_id: str
    direction: Direction
    type: str
    state: State
    source_id: str
    provider_id: str | None
    reason_code: str | None
    reason: str | None
    late: bool = Field(description="it came after a later message had been sent, or was caught up with")
    attempts: int
    origin: Literal["webhook", "api", "catch_up"] = Field(
        description="how it came; catch_up: asked for at Genesys, whose webhook had not reached this relay"
    )
    caught_up: bool
    text: str | None
    media_type: str | None
    media: MediaOut | None
    provider_time: datetime
    arrived_at: datetime
    next_attempt_at: datetime | None
    unknown_until: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    report: str | None
    reported: str | None
    callback_data: str | None = Field(description="the biz_opaque_callback_data that it was sent with through this API")


class MessageList(BaseModel):
    items: list[MessageOut]
    next: str | None = Field(description="pass it as `before` for the next page; null at the end")


class AttemptOut(ResponseModel):
    n: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    provider_id: str | None
    http_status: int | None
    code: str | None
    detail: str | None
    trace_id: str | None
    answer: str | None = Field(description="the provider's whole word about a failure, without secrets; often JSON")


class MessageEventOut(ResponseModel):
    at: datetime
    event: str
    detail: str | None


class StepOut(ResponseModel):
    name: str
    at: datetime
    seconds: float | None = Field(description="since the step before")
    text: str


class WaitReasonOut(ResponseModel):
    kind: str
    text: str
    until: datetime | None
    message_id: str | None = Field(description="the message that is waited for")
    estimate: bool


class CopyPriceOut(BaseModel):
    """What WhatsApp says that a copy of the message costs. One that went out twice has two."""

    provider_id: str = Field(description="WhatsApp's id of the copy")
    at: datetime = Field(description="when it was said")
    category: str = Field(description="Meta's word, as utility")
    type: str = Field(description="Meta's word: regular is charged")
    subtype: str
    country: str = Field(description="the recipient's, as ISO 3166 writes it; empty where it cannot be told")
    currency: str = Field(description="of the rate card; empty where there is none")
    cost: str | None = Field(description="by the rate card of the month; null where it says nothing of such messages")


class MessageDetail(MessageOut):
    steps: list[StepOut]
    waiting_for: WaitReasonOut | None = Field(description="why it is not finished; null where it is")
    history: list[MessageEventOut] = Field(description="the newest 200 lines")
    calls: list[AttemptOut] = Field(description="the newest 100 calls of the provider")
    prices: list[CopyPriceOut] = Field(description="empty until it is delivered, and for what customers write")


class PayloadOut(BaseModel):
    payload: Any = Field(description="the item as the provider sent it, without secrets; null where there is none")


class ConversationQuery(RequestModel):
    q: Name | None = Field(
        None,
        description="the beginning of the number, the name, its last word or the user id; or exactly an id of the "
        "conversation, of one at Genesys, or of a message",
    )
    line_id: UUID | None = None
    active_since: Moment | None = None
    trouble: bool = Field(False, description="only with a message that failed lately, or whose outcome is unknown")
    limit: Limit = 50
    before: Before | None = None


class LastOut(ResponseModel):
    message_id: str
    direction: Direction
    type: str
    state: State
    text: str | None
    media_type: str | None
    arrived_at: datetime


class ConversationOut(ResponseModel):
    id: str
    tenant_id: str
    line_id: str
    wa_id: str | None
    bsuid: str | None
    name: str | None
    username: str | None = Field(description="chosen by the contact and changed at will: for display only")
    genesys_conversation_id: str | None
    window: WindowOut
    thread: ThreadOut
    created_at: datetime
    last_at: datetime
    waiting: bool = Field(description="at least one of its messages is not finished")
    last: LastOut | None = Field(description="the newest message, its text cut")


class ConversationList(BaseModel):
    items: list[ConversationOut]
    next: str | None = Field(description="pass it as `before` for the next page; null at the end")


class GenesysSeenOut(ResponseModel):
    id: str
    first_seen: datetime
    last_seen: datetime


class ConversationDetailOut(ConversationOut):
    genesys: list[GenesysSeenOut] = Field(description="the newest 20")
    aliases: list[str] = Field(description="other addresses of the contact, the newest 20")


class TimelineQuery(RequestModel):
    limit: Limit = 50
    before: Before | None = None
