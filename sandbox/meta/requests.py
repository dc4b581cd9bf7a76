"""What a send request may hold. Strict: Meta refuses what it does not know, and so do these models."""

from typing import Annotated, Any, Literal

from pydantic import Field

from sandbox.meta.contents import (
    Audio,
    Captioned,
    ContactObject,
    Document,
    LocationObject,
    MediaObject,
    Reaction,
    TextObject,
)
from sandbox.meta.interactive import Interactive
from sandbox.meta.strict import Filled, MetaObject
from sandbox.meta.template_request import TemplateObject

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


class Context(MetaObject):
    message_id: Filled


class DirectSendConfig(MetaObject):
    template_name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=512)]


class SendRequest(MetaObject):
    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual", "group"] = "individual"
    to: Filled | None = None
    recipient: Filled | None = None
    type: Literal[CONTENTS] = "text"  # type: ignore[valid-type]
    context: Context | None = None
    biz_opaque_callback_data: Annotated[str, Field(max_length=512)] | None = None
    recipient_identity_key_hash: str | None = None
    category: Literal["utility", "authentication", "service"] | None = None
    direct_send_config: DirectSendConfig | None = None
    text: TextObject | None = None
    image: Captioned | None = None
    video: Captioned | None = None
    audio: Audio | None = None
    document: Document | None = None
    sticker: MediaObject | None = None
    location: LocationObject | None = None
    contacts: Annotated[list[ContactObject], Field(min_length=1, max_length=257)] | None = None
    reaction: Reaction | None = None
    interactive: Interactive | None = None
    template: TemplateObject | None = None

    @property
    def direct(self) -> bool:
        """Direct Send: Meta makes a template of it."""
        return self.category in ("utility", "authentication")

    @property
    def content(self) -> Any:
        return getattr(self, self.type)

    @property
    def file(self) -> tuple[str, MediaObject] | None:
        """The file of the message or of its header, and as which kind it travels."""
        if isinstance(self.content, MediaObject):
            return self.type, self.content
        return getattr(self.content, "file", None)


class TypingIndicator(MetaObject):
    type: Literal["text"]


class ReadRequest(MetaObject):
    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: Filled
    typing_indicator: TypingIndicator | None = None
