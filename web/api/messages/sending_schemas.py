"""What the API takes and gives about messages that are sent through it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from relay.core.lengths import units
from web.api.messages.schemas import ResponseModel, State
from web.api.messages.sending_contents import (
    MOST_CARDS,
    Caption,
    CarouselCard,
    ContactCard,
    FlowForm,
    Heading,
    Line60,
    LinkChoice,
    ListChoices,
    MapPoint,
    ReactionSign,
    ReplyChoice,
    WebUrl,
    readable,
)
from web.api.messages.sending_templates import TemplateRequest
from web.api.tenants.schemas import Name, ProviderId, RequestModel
from web.request.wording import wrong

ONE_LINE = "the line; may be left out where the tenant has one"


Text = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(readable)]
Contact = Annotated[str, Field(min_length=1, max_length=140, examples=["4915112345678"])]
CONTACT = "phone number with country code, or business-scoped user id"
FileName = Annotated[Name, Field(max_length=200)]


PhoneKind = Literal[
    "text", "image", "document", "video", "audio", "sticker", "template",
    "buttons", "list", "link", "carousel", "flow", "location_request", "contact_request", "call_permission_request",
    "location", "reaction", "contacts",
]  # fmt: skip


class Makeup(NamedTuple):
    """What a message of a type is made of."""

    needed: tuple[str, ...]
    fitting: tuple[str, ...] = ()
    longest_text: int = 4096
    """Characters of `text`, where it is one of WhatsApp's own limits."""


CONTENT: dict[str, Makeup] = {
    "text": Makeup(("text",)),
    "template": Makeup(("template",)),
    "audio": Makeup(("media_url",), ("filename",)),
    "image": Makeup(("media_url",), ("filename", "caption")),
    "video": Makeup(("media_url",), ("filename", "caption")),
    "document": Makeup(("media_url",), ("filename", "caption")),
    "sticker": Makeup(("media_url",)),
    "buttons": Makeup(("text", "buttons"), ("header", "footer"), 1024),
    "list": Makeup(("text", "list"), ("header", "footer")),
    "link": Makeup(("text", "link"), ("header", "footer"), 1024),
    "carousel": Makeup(("text", "cards"), (), 1024),
    "flow": Makeup(("text", "flow"), ("header", "footer"), 1024),
    "location_request": Makeup(("text",), (), 1024),
    "contact_request": Makeup(("text",), (), 1024),
    "call_permission_request": Makeup((), ("text",), 1024),
    "location": Makeup(("location",)),
    "reaction": Makeup(("reaction",)),
    "contacts": Makeup(("contacts",)),
}
"""By type."""
EVERY = {name for makeup in CONTENT.values() for name in (*makeup.needed, *makeup.fitting)}


class Sending(RequestModel):
    """A text, or a file with a caption."""

    phone_number_id: ProviderId | None = Field(None, description=ONE_LINE)
    type: str = "text"
    text: Text | None = Field(None, description="of a text message, or above what is to be tapped")
    caption: Caption | None = Field(None, description="of a picture, a video or a document")
    media_url: WebUrl | None = Field(
        None, description="where the relay fetches the file, once; https at port 443 and a public address"
    )
    filename: FileName | None = Field(None, description="as the receiver sees it")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        mistakes = self._mistakes()
        if mistakes:
            raise wrong(mistakes)
        return self

    def _mistakes(self) -> dict[str, str]:
        """By field."""
        makeup = CONTENT[self.type]
        given = {name for name in EVERY if getattr(self, name, None) is not None}
        missing = f"is missing; type {self.type} cannot be without it"
        mistakes = {name: missing for name in makeup.needed if name not in given}
        for name in sorted(given - {*makeup.needed, *makeup.fitting}):
            mistakes[name] = f"does not go with type {self.type}; {_instead(name, makeup.fitting)}"
        if self.text is not None and units(self.text) > makeup.longest_text and "text" not in mistakes:
            mistakes["text"] = f"must have at most {makeup.longest_text} characters with type {self.type}"
        return mistakes


def _instead(name: str, fitting: Sequence[str]) -> str:
    """What to do with something that does not fit."""
    if name == "text" and "caption" in fitting:
        return "say it in `caption`"
    return f"remove it, or say type {name}" if name in CONTENT else "remove it"


class ToPhone(Sending):
    """One of WhatsApp's kinds of message in our own short form, or WhatsApp's own object in `message`."""

    to: Contact | None = Field(None, description=f"who gets it: {CONTACT}; may be left out where `message` says it")
    type: PhoneKind = "text"
    template: TemplateRequest | None = Field(None, description="of type template")
    header: Heading | None = Field(None, description="of buttons, a link, a flow; of a list a text only")
    footer: Line60 | None = Field(None, description="small, below the text")
    buttons: Annotated[builtins.list[ReplyChoice], Field(min_length=1, max_length=3)] | None = None
    list: ListChoices | None = None
    link: LinkChoice | None = None
    cards: Annotated[builtins.list[CarouselCard], Field(min_length=2, max_length=MOST_CARDS)] | None = Field(
        None, description="of a carousel; all with links, or all with as many buttons"
    )
    flow: FlowForm | None = None
    location: MapPoint | None = None
    reaction: ReactionSign | None = None
    contacts: Annotated[builtins.list[ContactCard], Field(min_length=1, max_length=257)] | None = None
    message: dict[str, Any] | None = Field(
        None, description="Meta's own message object, taken as it is; nothing else of a message beside it"
    )

    def _mistakes(self) -> dict[str, str]:
        missing = {"to": "is missing"} if self.to is None else {}
        if self.message is not None:
            beside = sorted(name for name in (EVERY | {"type"}) & self.model_fields_set)
            return dict.fromkeys(beside, "does not go with `message`; remove it")
        return missing | super()._mistakes() | self._unfitting()

    def _unfitting(self) -> dict[str, str]:
        """What fits by itself and not beside the rest."""
        mistakes = {}
        if self.type == "list" and self.header is not None and self.header.text is None:
            mistakes["header"] = "must be a text; WhatsApp takes no file above a list"
        if len({one.title for one in self.buttons or ()}) < len(self.buttons or ()):
            mistakes["buttons"] = "must each have a title of its own"
        if len({one.id for one in self.buttons or ()}) < len(self.buttons or ()):
            mistakes["buttons"] = "must each have an id of its own"
        if len({len(one.buttons or ()) for one in self.cards or ()}) > 1:
            mistakes["cards"] = "must all have a link, or all as many buttons"
        return mistakes


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
