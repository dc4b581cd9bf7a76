"""What a send request may hold. Strict: Meta refuses what it does not know, and so do these models."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sandbox.meta.interactive import Interactive


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


Filled = Annotated[str, AfterValidator(_not_blank)]


class Text(Strict):
    body: Annotated[str, Field(max_length=4096), AfterValidator(_not_blank)]
    preview_url: bool = False


class Media(Strict):
    id: Filled | None = None
    link: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Media":
        if (self.id is None) == (self.link is None):
            raise ValueError("exactly one of 'id' and 'link' is required")
        return self


class Captioned(Media):
    caption: Annotated[str, Field(max_length=1024)] | None = None


class Audio(Media):
    voice: bool = False


class Document(Captioned):
    filename: Annotated[str, Field(max_length=240)] | None = None


class Location(Strict):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=1000)] | None = None
    address: Annotated[str, Field(max_length=1000)] | None = None


class ContactName(Strict):
    formatted_name: Filled
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    prefix: str | None = None

    @model_validator(mode="after")
    def _one_more(self) -> "ContactName":
        if not (self.first_name or self.last_name or self.middle_name or self.suffix or self.prefix):
            raise ValueError("needs at least one name beside formatted_name")
        return self


class Contact(Strict):
    name: ContactName
    phones: list[dict[str, str]] = []
    emails: list[dict[str, str]] = []
    addresses: list[dict[str, str]] = []
    urls: list[dict[str, str]] = []
    org: dict[str, str] | None = None
    birthday: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None


class Reaction(Strict):
    message_id: Filled
    emoji: str


class Language(Strict):
    code: Filled
    policy: Literal["deterministic"] | None = None


class Component(Strict):
    type: Literal["header", "body", "button", "HEADER", "BODY", "BUTTON", "carousel", "limited_time_offer"]
    sub_type: str | None = None
    index: str | int | None = None
    parameters: list[dict[str, Any]] = []
    cards: list[dict[str, Any]] | None = None


class Template(Strict):
    name: Filled
    language: Language
    components: list[Component] = []


class Context(Strict):
    message_id: Filled


class SendRequest(Strict):
    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual", "group"] = "individual"
    to: Filled | None = None
    recipient: Filled | None = None
    type: Literal[
        "text",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "location",
        "contacts",
        "reaction",
        "interactive",
        "template",
    ] = "text"
    context: Context | None = None
    biz_opaque_callback_data: Annotated[str, Field(max_length=512)] | None = None
    recipient_identity_key_hash: str | None = None
    text: Text | None = None
    image: Captioned | None = None
    video: Captioned | None = None
    audio: Audio | None = None
    document: Document | None = None
    sticker: Media | None = None
    location: Location | None = None
    contacts: Annotated[list[Contact], Field(min_length=1, max_length=257)] | None = None
    reaction: Reaction | None = None
    interactive: Interactive | None = None
    template: Template | None = None

    @property
    def content(self) -> Any:
        return getattr(self, self.type)


class TypingIndicator(Strict):
    type: Literal["text"]


class ReadRequest(Strict):
    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: Filled
    typing_indicator: TypingIndicator | None = None
