"""What a send request may hold. Strict: Meta refuses what it does not know, and so do these models."""

from typing import Annotated, Any, Literal

from pydantic import Field

from sandbox.meta.contents import Audio, Captioned, Contact, Document, Location, Media, Reaction, Text
from sandbox.meta.interactive import Interactive
from sandbox.meta.strict import Filled, Strict
from sandbox.meta.template_request import Template

CONTENTS = (
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
)


class Context(Strict):
    message_id: Filled


class SendRequest(Strict):
    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual", "group"] = "individual"
    to: Filled | None = None
    recipient: Filled | None = None
    type: Literal[CONTENTS] = "text"  # type: ignore[valid-type]
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

    @property
    def file(self) -> tuple[str, Media] | None:
        """The file of the message or of its header, and as which kind it travels."""
        if isinstance(self.content, Media):
            return self.type, self.content
        return getattr(self.content, "file", None)


class TypingIndicator(Strict):
    type: Literal["text"]


class ReadRequest(Strict):
    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: Filled
    typing_indicator: TypingIndicator | None = None
