"""The contents that Genesys' side can compose, so that the desk never sends what Genesys could not.

Source: SDK model ConversationMessageContent and those it holds; what is required as the facts have it.
"""

# Field names are the provider's own.
# ruff: noqa: N815

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from sandbox.genesys.models import Filled, GenesysModel, Time, Url

FIELDS = {"Notification": "template"}
"""Where a content stands when the field is not named after its type."""


class QuickReply(GenesysModel):
    text: Filled
    payload: Filled
    image: Url | None = None
    action: Literal["Message"] | None = None
    summaryText: str | None = None


class QuickReplyV2(GenesysModel):
    title: Filled
    actions: Annotated[list[QuickReply], Field(min_length=1)]


class CardAction(GenesysModel):
    type: Literal["Link", "Postback"]
    text: Filled
    payload: str | None = None
    url: Url | None = None

    @model_validator(mode="after")
    def _target(self) -> "CardAction":
        wanted = "url" if self.type == "Link" else "payload"
        if not getattr(self, wanted):
            raise PydanticCustomError("missing", f"a {self.type} needs {wanted}")
        return self


class Card(GenesysModel):
    title: Filled
    description: str | None = None
    image: Url | None = None
    video: Url | None = None
    defaultAction: CardAction | None = None
    actions: Annotated[list[CardAction], Field(min_length=1)]


class Carousel(GenesysModel):
    cards: Annotated[list[Card], Field(min_length=1, max_length=10)]


class ContentLocation(GenesysModel):
    url: Url | None = None
    address: str | None = None
    text: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class AvailableTime(GenesysModel):
    dateTime: Time
    duration: int | None = None


class DatePicker(GenesysModel):
    id: str | None = None
    title: str | None = None
    subtitle: str | None = None
    imageUrl: Url | None = None
    dateMinimum: Time | None = None
    dateMaximum: Time | None = None
    location: ContentLocation | None = None
    availableTimes: tuple[AvailableTime, ...] = ()
    dateDisplayFormat: Literal["dayMonthYear", "monthDayYear", "yearMonthDay"] | None = None


class ListItem(GenesysModel):
    id: Filled
    title: Filled
    subtitle: str | None = None
    imageUrl: Url | None = None


class ListSection(GenesysModel):
    title: str | None = None
    multipleSelection: bool | None = None
    items: Annotated[list[ListItem], Field(min_length=1)]


class Bubble(GenesysModel):
    header: str | None = None
    title: str | None = None
    subtitle: str | None = None
    buttonLabel: str | None = None
    imageUrl: Url | None = None


class ListPicker(GenesysModel):
    id: str | None = None
    sections: Annotated[list[ListSection], Field(min_length=1)]
    replyMessage: Bubble | None = None
    receivedMessage: Bubble | None = None


class Offered(GenesysModel):
    """A file or link as agents and templates send it."""

    id: str | None = None
    mediaType: Literal["Image", "Video", "Audio", "File", "Link"]
    url: Url
    mime: str | None = None
    text: str | None = None
    sha256: str | None = None
    filename: str | None = None
    contentSizeBytes: int | None = None


class NotificationParameter(GenesysModel):
    name: Filled
    text: str


class NotificationHeader(GenesysModel):
    type: Literal["Text", "Media"]
    text: str | None = None
    media: Offered | None = None
    parameters: tuple[NotificationParameter, ...] = ()


class Body(GenesysModel):
    text: Filled
    parameters: tuple[NotificationParameter, ...] = ()


class NotificationFooter(GenesysModel):
    text: Filled


class Button(GenesysModel):
    type: Literal["QuickReply", "PhoneNumber", "Url"]
    text: str | None = None
    index: int
    phoneNumber: str | None = None
    url: str | None = None
    payload: str | None = None
    parameters: tuple[NotificationParameter, ...] = ()


class Notification(GenesysModel):
    id: Annotated[str, Field(pattern=r"^[^@]+@[^@]+$")] | None = None
    language: str | None = None
    header: NotificationHeader | None = None
    body: Body
    buttons: tuple[Button, ...] = ()
    footer: NotificationFooter | None = None


class ContentText(GenesysModel):
    type: Literal["Text"] | None = None
    body: Filled


def field_of(kind: str) -> str:
    """The field beside `contentType` that holds a content of this kind."""
    return FIELDS.get(kind) or kind[0].lower() + kind[1:]
