"""What the API takes and gives about messages that somebody else carries, and that are kept track of through it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from web.api.messages.schemas import Direction, ResponseModel
from web.api.messages.sending_contents import WebUrl
from web.api.messages.sending_schemas import CONTACT, ONE_LINE, Contact, FileName, Text
from web.api.tenants.schemas import Moment, Name, ProviderId, RequestModel
from web.request.wording import wrong


class RecordRequest(RequestModel):
    """Name the conversation, or the contact. `source_id` makes a repeat the same record."""

    conversation_id: UUID | None = None
    wa_id: Contact | None = Field(None, description=CONTACT)
    phone_number_id: ProviderId | None = Field(None, description=ONE_LINE)
    direction: Direction
    type: Annotated[ProviderId, Field(max_length=32)] = "text"
    text: Text | None = None
    media_type: Literal["image", "video", "audio", "document", "sticker"] | None = None
    mime_type: Annotated[ProviderId, Field(max_length=100)] | None = None
    media_url: WebUrl | None = Field(None, description="kept as it is; nobody fetches it")
    filename: FileName | None = None
    source_id: ProviderId | None = Field(None, description="its id where it comes from")
    provider_id: ProviderId | None = Field(None, description="its id at the provider that took it")
    at: Moment | None = Field(None, description="when it was written; left out: now")
    status: Literal["sent", "delivered", "read", "failed"] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.conversation_id is None) == (self.wa_id is None):
            text = "must be left out with" if self.wa_id is not None else "must name the contact, or have beside it"
            raise wrong({"wa_id": f"{text} `conversation_id`"})
        if self.media_url is not None and self.media_type is None:
            raise wrong({"media_type": "is missing; it says what `media_url` leads to"})
        if self.text is None and self.media_type is None:
            raise wrong({"text": "is missing; a message has `text`, `media_type`, or both"})
        return self


class RecordMove(RequestModel):
    status: Literal["sent", "delivered", "read", "failed"]
    at: Moment | None = Field(None, description="when it happened; left out: now")
    reason_code: ProviderId | None = Field(None, description="why it failed")
    reason: Name | None = Field(None, description="why it failed, in words")


class RecordOut(ResponseModel):
    id: str
    tenant_id: str
    line_id: str
    conversation_id: str
    direction: Direction
    type: str
    source_id: str
    provider_id: str | None
    text: str | None
    media_type: str | None
    media_url: str | None
    status: Literal["recorded", "sent", "delivered", "read", "failed"]
    at: datetime
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    reason_code: str | None
    reason: str | None
