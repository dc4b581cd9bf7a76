"""What the API gives about a contact: until when it may be answered, and who answers it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from web.api.tenants.schemas import ProviderId, RequestModel


class MappingPath(BaseModel):
    wa_id: str = Field(description="the phone number with country code, or a business-scoped user id")


class MappingQuery(RequestModel):
    phone_number_id: ProviderId | None = None


class WindowOut(BaseModel):
    """When the contact may be answered freely; outside of it WhatsApp takes approved templates only."""

    model_config = ConfigDict(from_attributes=True)

    open: bool | None = Field(description="null: the contact has not written yet")
    until: datetime | None


class ThreadOut(BaseModel):
    """Who answers the contact, where several responders share the number."""

    model_config = ConfigDict(from_attributes=True)

    state: Literal["owned", "elsewhere", "idle", "unknown"] = Field(
        description="owned: this line; elsewhere: another responder; idle: nobody; unknown: nothing was heard for a day"
    )
    role: str | None = Field(description="of whoever answers, where that is known")
    since: datetime | None = Field(description="when this was last heard, or became unknown")


class MappingOut(BaseModel):
    conversation_id: str
    wa_id: str | None
    bsuid: str | None
    username: str | None = Field(description="chosen by the contact and changed at will: for display only")
    tenant_id: str
    line_id: str
    genesys_conversation_id: str | None
    window: WindowOut
    thread: ThreadOut
