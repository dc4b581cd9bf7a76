"""What the API takes and gives about messages that are sent, or kept track of, through it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, TypeAdapter, WrapValidator, model_validator

from relay.core.content import Parameter, Template
from web.actions.sends import Kind
from web.api.messages.schemas import Direction, ResponseModel, State
from web.api.tenants.schemas import VALUES, Moment, Name, ProviderId, RequestModel, TemplateLanguage, TemplateName
from web.request.wording import wrong

ONE_LINE = "the line; may be left out where the tenant has one"


def _readable(value: str) -> str:
    """What people write, lines and tabs included."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in value):
        raise ValueError("holds characters that cannot be printed")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https://")
    return value


Text = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_readable)]
Caption = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_readable)]
WebUrl = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(_readable), AfterValidator(_web_address)]
Contact = Annotated[str, Field(min_length=1, max_length=140, examples=["4915112345678"])]
CONTACT = "phone number with country code, or business-scoped user id"
FileName = Annotated[Name, Field(max_length=200)]


CONTENT: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "template": ("template",),
    "audio": ("media_url", "filename"),
    "image": ("media_url", "filename", "caption"),
    "video": ("media_url", "filename", "caption"),
    "document": ("media_url", "filename", "caption"),
}
"""What a message of each type is made of; the first is what it cannot be without."""


class Sending(RequestModel):
    """A text, or a file with a caption."""

    phone_number_id: ProviderId | None = Field(None, description=ONE_LINE)
    type: Kind = "text"
    text: Text | None = Field(None, description="of a text message")
    caption: Caption | None = Field(None, description="of a picture, a video or a document")
    media_url: WebUrl | None = Field(
        None, description="where the relay fetches the file, once; https at port 443 and a public address"
    )
    filename: FileName | None = Field(None, description="as the receiver sees it")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed, *fitting = CONTENT[self.type]
        every = {name for names in CONTENT.values() for name in names}
        given = {name for name in every if getattr(self, name, None) is not None}
        mistakes = {} if needed in given else {needed: f"is missing; type {self.type} cannot be without it"}
        for name in sorted(given - {needed, *fitting}):
            mistakes[name] = f"does not go with type {self.type}; {_instead(name, fitting)}"
        if mistakes:
            raise wrong(mistakes)
        return self


def _instead(name: str, fitting: Sequence[str]) -> str:
    """What to do with something that does not fit."""
    if name == "template":
        return "remove it, or say type template"
    return "say it in `caption`" if name == "text" and "caption" in fitting else "remove it"


class HeaderValues(RequestModel):
    """A text to put into the header, or the file that stands there."""

    text: Caption | None = None
    type: Literal["image", "video", "document"] | None = None
    url: WebUrl | None = Field(
        None, description="where the relay fetches the file, once; https at port 443 and a public address"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.url is None) or (self.type is None) != (self.url is None):
            raise ValueError("must have either `text`, or `type` and `url`")
        return self


def _listed_or_named(value: Any, _handler: object) -> Any:
    """What is wrong is said about the one way that was meant, not about both."""
    if isinstance(value, (list, tuple)):
        return _LISTED.validate_python(value)
    if isinstance(value, dict):
        return _NAMED.validate_python(value)
    raise ValueError('must be a list of texts, ["Ada"], or an object of names and texts, {"name": "Ada"}')


def _button(value: str) -> str:
    if not (len(value) == 1 and value in "0123456789"):
        raise ValueError("is no place of a button; the first button's is 0, the last one's 9 at most")
    return value


Listed = Annotated[list[Caption], Field(max_length=20)]
Named = Annotated[dict[Name, Caption], Field(max_length=20)]
Parameters = Annotated[Listed | Named, WrapValidator(_listed_or_named)]
_LISTED: TypeAdapter[Listed] = TypeAdapter(Listed, config=VALUES)
_NAMED: TypeAdapter[Named] = TypeAdapter(Named, config=VALUES)
ButtonPlace = Annotated[str, AfterValidator(_button), Field(json_schema_extra={"pattern": "^[0-9]$"})]


class TemplateRequest(RequestModel):
    """An approved template: the only kind of message that may go out 24 hours after the contact last wrote."""

    name: TemplateName
    language: TemplateLanguage
    parameters: Parameters = Field(
        default=[], description="of the body: a list for numbered ones, an object for named ones"
    )
    header: HeaderValues | None = None
    urls: dict[ButtonPlace, Caption] = Field(
        default={}, description="what is put into a link: by the place of its button, from 0"
    )

    @property
    def canonical(self) -> Template:
        given = self.parameters
        body = (
            tuple(Parameter(text, name) for name, text in given.items())
            if isinstance(given, dict)
            else tuple(map(Parameter, given))
        )
        header = (Parameter(self.header.text),) if self.header is not None and self.header.text is not None else ()
        urls = tuple((int(place), text) for place, text in self.urls.items())
        return Template(self.name, self.language, body, header, urls)


class ToPhone(Sending):
    to: Contact = Field(description=f"who gets it: {CONTACT}")
    template: TemplateRequest | None = Field(None, description="of type template")


class ToAgent(Sending):
    type: Literal["text", "image", "document", "video", "audio"] = "text"
    sender: Contact = Field(alias="from", description=f"whose message it is: {CONTACT}")
    name: Name | None = Field(None, description="what the agent sees as the sender's name")


class SendQuery(RequestModel):
    wait: float = Field(10, ge=0, le=10, description="so many seconds to wait for the outcome")


class SendOut(ResponseModel):
    """`status` is the message's state; `failed` and `dead` come with a reason."""

    id: str
    conversation_id: str | None
    status: State
    provider_id: str | None = Field(description="the id that the provider gave it")
    reason_code: str | None
    reason: str | None


class SentToPhone(SendOut):
    wamid: str | None = Field(description="the same as provider_id")


class SentToAgent(SendOut):
    genesys_conversation_id: str | None


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
