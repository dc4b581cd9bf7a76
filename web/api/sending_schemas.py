"""What the API takes and gives about messages that are sent, or kept track of, through it."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from relay.core.content import Parameter, Template
from web.api.message_schemas import Direction, Shown, State
from web.api.schemas import Given, Moment, Name, ProviderId, TemplateLanguage, TemplateName
from web.sends import Kind

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
WebUrl = Annotated[str, Field(min_length=8, max_length=2048), AfterValidator(_readable), AfterValidator(_web_address)]
Contact = Annotated[str, Field(min_length=1, max_length=140, examples=["4915112345678"])]
CONTACT = "phone number with country code, or business-scoped user id"
FileName = Annotated[Name, Field(max_length=200)]


class Sending(Given):
    """A text, or a file with a caption."""

    phone_number_id: ProviderId | None = Field(None, description=ONE_LINE)
    type: Kind = "text"
    text: Text | None = Field(None, description="of a text message")
    caption: Caption | None = Field(None, description="of a picture, a video or a document")
    media_url: WebUrl | None = Field(
        None, description="where the relay fetches the file, once; https and a public address"
    )
    filename: FileName | None = Field(None, description="as the receiver sees it")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type == "text":
            if self.text is None or self.caption is not None or self.media_url or self.filename:
                raise ValueError("a text has `text` and nothing else")
        elif self.type == "template":
            if self.text is not None or self.caption is not None or self.media_url or self.filename:
                raise ValueError("a template has `template` and nothing else")
        elif self.media_url is None or self.text is not None:
            raise ValueError("a file has `media_url`, and `caption` for what goes with it")
        elif self.type == "audio" and self.caption is not None:
            raise ValueError("audio takes no caption")
        return self


class TemplateHeader(Given):
    """A text to put into the header, or the file that stands there."""

    text: Caption | None = None
    type: Literal["image", "video", "document"] | None = None
    url: WebUrl | None = Field(None, description="where the relay fetches the file, once; https and a public address")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.url is None) or (self.type is None) != (self.url is None):
            raise ValueError("has either `text`, or `type` and `url`")
        return self


class SendTemplate(Given):
    """An approved template: the only kind of message that may go out 24 hours after the contact last wrote."""

    name: TemplateName
    language: TemplateLanguage
    parameters: list[Caption] | dict[Name, Caption] = Field(
        default=[], description="of the body: a list for numbered ones, an object for named ones", max_length=20
    )
    header: TemplateHeader | None = None
    urls: dict[Annotated[str, Field(pattern="^[0-9]$")], Caption] = Field(
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
    template: SendTemplate | None = Field(None, description="of type template")

    @model_validator(mode="after")
    def _has_its_template(self) -> Self:
        if (self.type == "template") != (self.template is not None):
            raise ValueError("type `template` and `template` belong together")
        return self


class ToAgent(Sending):
    type: Literal["text", "image", "document", "video", "audio"] = "text"
    sender: Contact = Field(alias="from", description=f"whose message it is: {CONTACT}")
    name: Name | None = Field(None, description="what the agent sees as the sender's name")


class SendQuery(Given):
    wait: float = Field(10, ge=0, le=10, description="so many seconds to wait for the outcome")


class SendOut(Shown):
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


class NewRecord(Given):
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
            raise ValueError("name either conversation_id or wa_id")
        if self.text is None and self.media_type is None:
            raise ValueError("a message has text or media_type")
        if self.media_url is not None and self.media_type is None:
            raise ValueError("say with media_type what media_url leads to")
        return self


class RecordMove(Given):
    status: Literal["sent", "delivered", "read", "failed"]
    at: Moment | None = Field(None, description="when it happened; left out: now")
    reason_code: ProviderId | None = Field(None, description="why it failed")
    reason: Name | None = Field(None, description="why it failed, in words")


class RecordOut(Shown):
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
