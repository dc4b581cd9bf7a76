"""What the kinds of interactive messages are made of: header, body, footer, a link."""

from typing import Annotated, Literal

from pydantic import model_validator

from sandbox.meta.contents import MediaObject, Named
from sandbox.meta.strict import MetaObject, WebAddress, up_to


class ShortBody(MetaObject):
    text: Annotated[str, up_to(1024)]


class LongBody(MetaObject):
    text: Annotated[str, up_to(4096)]


class FooterObject(MetaObject):
    text: Annotated[str, up_to(60)]


class TextHeader(MetaObject):
    type: Literal["text"]
    text: Annotated[str, up_to(60)]


class HeaderObject(MetaObject):
    type: Literal["text", "image", "video", "document"]
    text: Annotated[str, up_to(60)] | None = None
    image: MediaObject | None = None
    video: MediaObject | None = None
    document: Named | None = None

    @model_validator(mode="after")
    def _as_typed(self) -> "HeaderObject":
        present = {name for name in self.model_fields_set - {"type"} if getattr(self, name) is not None}
        if present != {self.type}:
            raise ValueError(f"needs '{self.type}' and nothing else")
        return self


class Dialogue(MetaObject):
    """What all kinds share."""

    header: HeaderObject | None = None
    body: ShortBody
    footer: FooterObject | None = None

    @property
    def file(self) -> tuple[str, MediaObject] | None:
        header = self.header
        return (header.type, getattr(header, header.type)) if header and header.type != "text" else None


class LinkParameters(MetaObject):
    display_text: Annotated[str, up_to(20)]
    url: WebAddress


class LinkAction(MetaObject):
    name: Literal["cta_url"]
    parameters: LinkParameters
