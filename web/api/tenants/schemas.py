"""What the API takes and gives. Unknown fields are refused, secrets never come back."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)

from relay.channels.genesys.regions import DOMAINS, domain_of
from relay.core.content import TEMPLATE_LANGUAGE, TEMPLATE_NAME
from relay.core.conversation.ends import bare

REGIONS = DOMAINS
"""Genesys' login domains by AWS region, for forms."""


def _printable(value: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
        raise ValueError("holds characters that cannot be printed")
    return value


def _one_word(value: str) -> str:
    if any(c.isspace() for c in value):
        raise ValueError("holds a space inside")
    return _printable(value)


def _secret(value: SecretStr) -> SecretStr:
    text = _printable(value.get_secret_value())
    if text.startswith("****"):
        raise ValueError("is the mask that was shown in its place; send the secret itself")
    return value


def _stripped(value: Any) -> Any:
    """Pasted with a newline at its end, as secrets often are."""
    return value.strip() if isinstance(value, str) else value


def _region(value: str) -> str:
    try:
        domain_of(value)
    except ValueError:
        raise ValueError("is not a Genesys Cloud region; use the login domain, such as mypurecloud.de") from None
    return value


def _utc(value: datetime) -> datetime:
    """PostgreSQL knows no zone beyond 16 hours, Python does."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of all time") from None


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
ProviderId = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_one_word)]
Secret = Annotated[SecretStr, BeforeValidator(_stripped), Field(min_length=1, max_length=4096), AfterValidator(_secret)]
Region = Annotated[str, Field(min_length=1, max_length=64, examples=["mypurecloud.de"]), AfterValidator(_region)]


VALUES = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True)
"""How every value of a request is read."""


class RequestModel(BaseModel):
    """Base of every request body and query."""

    model_config = VALUES | ConfigDict(extra="forbid")


class ErrorDetail(BaseModel):
    model_config = ConfigDict(extra="allow")
    field: str | None = None
    message: str | None = None


class ErrorInfo(BaseModel):
    code: str
    message: str
    details: list[ErrorDetail]
    request_id: str


class ErrorBody(BaseModel):
    """What every error looks like."""

    error: ErrorInfo


class NewTenant(RequestModel):
    name: Name


class TenantPath(BaseModel):
    tenant_id: UUID


class LinePath(TenantPath):
    line_id: UUID


class PageQuery(RequestModel):
    limit: int = Field(50, ge=1, le=200)
    after: UUID | None = None


class WhatsAppCredentials(RequestModel):
    """`app_secret` and `verify_token` only for tenants with a Meta app of their own."""

    phone_number_id: ProviderId
    waba_id: ProviderId
    access_token: Secret
    app_secret: Secret | None = None
    verify_token: Secret | None = None


class GenesysCredentials(RequestModel):
    region: Region
    client_id: ProviderId
    client_secret: Secret
    integration_id: ProviderId
    webhook_secret: Secret


class CredentialsQuery(RequestModel):
    type: Literal["whatsapp", "genesys"]


class CredentialsOut(BaseModel):
    """Ids in clear, secrets as `****`; fields of the other side are absent."""

    model_config = ConfigDict(extra="allow")
    tenant_id: str
    type: Literal["whatsapp", "genesys"]
    health: Literal["unknown", "ok", "refused"]
    health_reason: str | None
    health_at: datetime | None
    updated_at: datetime


def _matching(pattern: str, words: str) -> AfterValidator:
    form = re.compile(pattern)

    def checked(value: str) -> str:
        if form.fullmatch(value) is None:
            raise ValueError(words)
        return value

    return AfterValidator(checked)


TemplateName = Annotated[
    str,
    _matching(TEMPLATE_NAME, "must be the template's name at Meta: small letters, digits and underscores only"),
    Field(json_schema_extra={"pattern": f"^{TEMPLATE_NAME}$"}, examples=["order_update"]),
]
TemplateLanguage = Annotated[
    str,
    _matching(TEMPLATE_LANGUAGE, "must be the template's language as Meta writes it, such as en or pt_BR"),
    Field(json_schema_extra={"pattern": f"^{TEMPLATE_LANGUAGE}$"}, examples=["en", "pt_BR"]),
]
TemplateText = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_printable)]


class WindowTemplate(RequestModel):
    """An approved template for messages that come too late for the 24-hour window.

    `parameters` fill its body in order. `{text}` in one stands for the agent's text, `{name}` for the customer's name.
    """

    name: TemplateName
    language: TemplateLanguage
    parameters: list[TemplateText] = Field(default=[], max_length=20)


def _seen(value: str) -> str:
    if not bare(value):
        raise ValueError("holds nothing that can be seen")
    return value


class EndTemplate(RequestModel):
    """An approved template for when a conversation is over. `{name}` in a parameter stands for the customer's name."""

    name: TemplateName
    language: TemplateLanguage
    parameters: list[TemplateText] = Field(default=[], max_length=20)


def _people_write(value: str) -> str:
    """Lines and tabs included."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in value):
        raise ValueError("holds characters that cannot be printed")
    return value


EndWord = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_printable), AfterValidator(_seen)]
EndText = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_people_write)]


class LineSettings(RequestModel):
    """What this line does otherwise than the platform. A setting that is not named stays as it is."""

    whatsapp_rate_per_second: int | None = Field(default=None, ge=1, le=1000)
    genesys_rate_per_minute: int | None = Field(default=None, ge=1, le=100_000)
    unknown_outcome: Literal["repeat", "give_up"] | None = None
    handset_order_seconds: float | None = Field(default=None, ge=0, le=30)
    mark_read: bool | None = Field(
        default=None, description="customers' messages are marked read when Genesys has them; not set: they are not"
    )
    show_typing: bool | None = Field(default=None, description="the phone shows that an agent types; not set: it does")
    window_template: WindowTemplate | None = Field(
        default=None, description="not set: what comes too late for the 24-hour window fails, with that reason"
    )
    markdown: Literal["bots", "all"] | None = Field(
        default=None,
        description="Markdown of bots, or of everybody, goes out in WhatsApp's own marks; not set: as it was written",
    )
    link_previews: bool | None = Field(
        default=None, description="the phone shows a preview of the first link in a text; not set: it does not"
    )
    end_words: list[EndWord] | None = Field(
        default=None,
        max_length=20,
        description="a customer who writes one of these, and nothing else, ends the conversation at Genesys",
    )
    agent_name: Literal["name", "first_name", "initials", "alias"] | None = Field(
        default=None,
        description="what customers read before an agent's words, where it is known who writes; not set: nothing",
    )
    end_listening: bool | None = Field(
        default=None,
        description="the relay listens to Genesys' notifications for the ends of this line's conversations; not set: "
        "Genesys has to tell it of them",
    )
    direct_send: bool | None = Field(
        default=None,
        description="agents' texts that come too late for the 24-hour window go out by Direct Send, before "
        "`window_template`; the account has to be enabled for it; not set: they do not",
    )
    direct_send_template: TemplateName | None = Field(
        default=None, description="what the template is called that Meta makes of them; not set: Meta names it"
    )
    marketing_messages: bool | None = Field(
        default=None,
        description="templates of the category marketing go by Meta's marketing messages; not set: they go as all do",
    )
    end_text: EndText | None = Field(
        default=None,
        description="what the customer is sent when Genesys tells that the conversation is over; {name} stands for "
        "their name; not set: nothing",
    )
    end_template: EndTemplate | None = Field(
        default=None, description="the same where there is no `end_text`, or the 24-hour window has closed"
    )
    end_thread: Literal["release", "ai_agent"] | None = Field(
        default=None,
        description="what becomes of the contact's thread then, with Conversation Routing: released, or passed to "
        "Meta's agent; not set: it stays with this line",
    )
    responder_role: Literal["customer_service", "escalation"] | None = Field(
        default=None, description="what the line is among the responders of its number; not set: customer_service"
    )
    take_over: bool | None = Field(
        default=None,
        description="as escalation partner the line takes a customer from another responder before its agents' "
        "messages; not set: it does not",
    )


class NewLine(RequestModel):
    """`webhook_secret` for a line whose integration signs with another secret than the tenant's first."""

    phone_number_id: ProviderId
    integration_id: ProviderId
    webhook_secret: Secret | None = None
    settings: LineSettings = LineSettings()


class WebhookUrls(BaseModel):
    meta: str
    genesys: str


LineStatus = Literal["pending", "active", "refused", "released"]
ASK_AT = "when the relay asks again by itself whose the line is; null: it does not"


class LineOut(BaseModel):
    id: str
    tenant_id: str
    phone_number_id: str
    integration_id: str
    name: str = Field(description="WhatsApp's verified name and the number itself; empty until the line went live")
    status: LineStatus
    status_reason: str | None
    ask_at: datetime | None = Field(description=ASK_AT)
    proven_at: datetime | None = Field(description="when both providers proved whose the line is")
    released_at: datetime | None = Field(description="since when the line owns its number and integration no more")
    own_secret: bool
    settings: LineSettings
    webhook_urls: WebhookUrls
    created_at: datetime
    updated_at: datetime


class LineQuery(RequestModel):
    ref: ProviderId = Field(description="a phone number id, an integration id, or a line's own id")


class CatchUpWish(RequestModel):
    hours: float = Field(default=24, ge=0.1, le=24, description="so far back")


class CatchUpOut(BaseModel):
    """`due_at`: when a daemon begins, null: nothing is wanted. `found`: messages that were relayed."""

    line_id: str
    text: str = Field(description="all of it in a sentence")
    at_work: bool
    reason: Literal["absence", "asked"] | None = None
    since: datetime | None = None
    due_at: datetime | None = None
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    conversations: int = 0
    asked: int = 0
    found: int = 0
    outcome: Literal["complete", "incomplete", "failed"] | None = None
    why: str | None = Field(default=None, description="what is missing, or was in the way")


class Release(RequestModel):
    reason: Annotated[str, Field(max_length=500), AfterValidator(_printable)] | None = Field(
        default=None, description="told to the tenant's people"
    )


class LineList(BaseModel):
    items: list[LineOut]


class FindingOut(BaseModel):
    side: Literal["whatsapp", "genesys", "relay"]
    check: str
    level: Literal["ok", "warning", "refused"]
    text: str
    advice: str = Field("", description="what to do about it, and where")


class ActivatedLine(BaseModel):
    id: str
    phone_number_id: str
    integration_id: str
    status: LineStatus
    status_reason: str | None = Field(description="of a line that is not live: what is missing, and what to do")
    ask_at: datetime | None = Field(description=ASK_AT)
    webhook_urls: WebhookUrls
    findings: list[FindingOut]


class Activated(BaseModel):
    id: str
    status: Literal["onboarding", "active", "paused"]
    lines: list[ActivatedLine]


class ConversationPath(BaseModel):
    conversation_id: UUID
