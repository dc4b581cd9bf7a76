"""What the inbound Open Messaging calls may hold. Enums are exact, what is unknown is refused."""

# Field names are the provider's own.
# ruff: noqa: N815

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Filled = Annotated[str, StringConstraints(min_length=1)]
Url = Annotated[str, Field(pattern=r"^https?://\S+$")]
REASON_CODES = (
    "MessageExpired",
    "RateLimited",
    "MessageNotAllowed",
    "GeneralError",
    "UnsupportedMessage",
    "UnknownMessage",
    "InvalidMessageStructure",
    "InvalidDestination",
    "ServerError",
    "MediaTypeNotAllowed",
    "InvalidMediaContentLength",
    "RecipientOptedOut",
    "DataFiltered",
)


def _utc(value: str) -> str:
    try:
        offset = datetime.fromisoformat(value).utcoffset() if "T" in value else None
    except ValueError:
        offset = None
    if offset != timedelta(0):
        raise PydanticCustomError("iso_date", "must be an ISO-8601 time in UTC, such as 2026-11-23T15:00:00.000Z")
    return value


Time = Annotated[str, AfterValidator(_utc)]


class GenesysModel(BaseModel):
    """`tolerated` names what clients get away with: ignored, but listed among the findings."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    tolerated: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _ignore_tolerated(cls, data: Any) -> Any:
        if isinstance(data, dict) and not cls.tolerated.isdisjoint(data):
            return {name: value for name, value in data.items() if name not in cls.tolerated}
        return data


class Sender(GenesysModel):
    id: Filled
    idType: Literal["Email", "Phone", "Opaque"]
    nickname: str | None = None
    firstName: str | None = None
    lastName: str | None = None
    image: str | None = None
    email: str | None = None


class ChannelMetadata(GenesysModel):
    customAttributes: dict[str, str] | None = None
    subType: Literal["None", "GoogleBusinessProfile", "RoadsideAssistance", "YouTube"] | None = None


class OpenMessagingChannel(GenesysModel):
    tolerated = frozenset({"id", "platform", "type", "to"})
    sender: Sender = Field(alias="from")
    time: Time
    messageId: Filled | None = None
    metadata: ChannelMetadata | None = None


class Thumbnail(GenesysModel):
    url: Filled
    mime: Filled
    sha256: str | None = None
    contentSizeBytes: int | None = None


class Attachment(GenesysModel):
    mediaType: Literal["Image", "Video", "Audio", "File", "Link"]
    url: Url
    mime: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+")]
    id: str | None = None
    text: str | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    filename: str | None = None
    thumbnail: Thumbnail | None = None


class OpenMessageContent(GenesysModel):
    contentType: Literal["Attachment"] = "Attachment"
    attachment: Attachment


class InboundMessage(GenesysModel):
    tolerated = frozenset({"id", "type", "direction"})
    channel: OpenMessagingChannel
    text: str | None = None
    content: list[OpenMessageContent] | None = None
    metadata: dict[str, str] | None = None

    @model_validator(mode="after")
    def _text_or_content(self) -> "InboundMessage":
        if not self.text and not self.content:
            raise PydanticCustomError("any_of", "object has missing required properties: anyOf [text] or [content]")
        if self.content and len(self.content) > 1:
            raise PydanticCustomError("one_attachment", "only one attachment is allowed per message")
        return self


class OpenMessagingToRecipient(GenesysModel):
    id: Filled
    idType: Literal["Email", "Phone", "Opaque"] | None = None


class ReceiptChannel(GenesysModel):
    tolerated = frozenset({"id", "platform", "type", "messageId", "from"})
    to: OpenMessagingToRecipient
    time: Time


class Reason(GenesysModel):
    code: Literal[REASON_CODES]  # type: ignore[valid-type]
    message: Filled


class InboundReceipt(GenesysModel):
    tolerated = frozenset({"type", "direction"})
    id: Filled
    channel: ReceiptChannel
    status: Literal["Delivered", "Failed"]
    reasons: list[Reason] = []
    isFinalReceipt: bool | None = None


class EventChannel(GenesysModel):
    tolerated = frozenset({"id", "platform", "type", "to"})
    sender: Sender = Field(alias="from")
    time: Time
    messageId: str | None = None
    metadata: ChannelMetadata | None = None


class TypingEvent(GenesysModel):
    eventType: Literal["Typing"]
    typing: dict[str, Any] | None = None


class InboundEvent(GenesysModel):
    tolerated = frozenset({"type", "direction"})
    channel: EventChannel
    events: Annotated[list[TypingEvent], Field(min_length=1)]


class ButtonResponse(GenesysModel):
    type: Literal["Button", "QuickReply", "DatePicker"]
    text: Filled
    payload: Filled
    id: str | None = None


class StructuredResponse(GenesysModel):
    tolerated = frozenset({"type", "direction"})
    channel: OpenMessagingChannel
    buttonResponse: ButtonResponse
    originatingMessageId: Filled
    metadata: dict[str, str] | None = None


class Agentless(GenesysModel):
    fromAddress: Filled
    toAddress: Filled
    toAddressMessengerType: Literal["sms", "whatsapp", "open", "webmessaging", "apple"]
    textBody: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    useExistingActiveConversation: bool | None = None
