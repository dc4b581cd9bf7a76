"""Interactive messages, with the limits that Meta puts on titles, rows and buttons."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _up_to(length: int) -> Any:
    return Field(min_length=1, max_length=length)


class ShortBody(_Strict):
    text: Annotated[str, _up_to(1024)]


class LongBody(_Strict):
    text: Annotated[str, _up_to(4096)]


class Footer(_Strict):
    text: Annotated[str, _up_to(60)]


class HeaderMedia(_Strict):
    id: str | None = None
    link: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    filename: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "HeaderMedia":
        if (self.id is None) == (self.link is None):
            raise ValueError("exactly one of 'id' and 'link' is required")
        return self


class TextHeader(_Strict):
    type: Literal["text"]
    text: Annotated[str, _up_to(60)]


class Header(_Strict):
    type: Literal["text", "image", "video", "document"]
    text: Annotated[str, _up_to(60)] | None = None
    image: HeaderMedia | None = None
    video: HeaderMedia | None = None
    document: HeaderMedia | None = None

    @model_validator(mode="after")
    def _as_typed(self) -> "Header":
        present = self.model_fields_set - {"type"}
        if present != {self.type}:
            raise ValueError(f"needs '{self.type}' and nothing else")
        return self


class Reply(_Strict):
    id: Annotated[str, _up_to(256)]
    title: Annotated[str, _up_to(20)]


class ReplyButton(_Strict):
    type: Literal["reply"]
    reply: Reply


class ButtonAction(_Strict):
    buttons: Annotated[list[ReplyButton], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _unique(self) -> "ButtonAction":
        for name in ("id", "title"):
            values = [getattr(each.reply, name) for each in self.buttons]
            if len(set(values)) < len(values):
                raise ValueError(f"every button needs its own {name}")
        return self


class ButtonMessage(_Strict):
    type: Literal["button"]
    header: Header | None = None
    body: ShortBody
    footer: Footer | None = None
    action: ButtonAction


class Row(_Strict):
    id: Annotated[str, _up_to(200)]
    title: Annotated[str, _up_to(24)]
    description: Annotated[str, Field(max_length=72)] | None = None


class Section(_Strict):
    title: Annotated[str, _up_to(24)] | None = None
    rows: Annotated[list[Row], Field(min_length=1, max_length=10)]


class ListAction(_Strict):
    button: Annotated[str, _up_to(20)]
    sections: Annotated[list[Section], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _ten_rows(self) -> "ListAction":
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > 10:
            raise ValueError("must hold at most 10 rows in total")
        if len({row.id for row in rows}) < len(rows):
            raise ValueError("every row needs its own id")
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise ValueError("every section needs a title when there are several")
        return self


class ListMessage(_Strict):
    type: Literal["list"]
    header: TextHeader | None = None
    body: LongBody
    footer: Footer | None = None
    action: ListAction


class LinkParameters(_Strict):
    display_text: Annotated[str, _up_to(20)]
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]


class LinkAction(_Strict):
    name: Literal["cta_url"]
    parameters: LinkParameters


class LinkMessage(_Strict):
    type: Literal["cta_url"]
    header: Header | None = None
    body: ShortBody
    footer: Footer | None = None
    action: LinkAction


class LocationAction(_Strict):
    name: Literal["send_location"]


class LocationRequest(_Strict):
    type: Literal["location_request_message"]
    body: ShortBody
    action: LocationAction


class ContactAction(_Strict):
    name: Literal["request_contact_info"]


class ContactRequest(_Strict):
    type: Literal["request_contact_info"]
    body: ShortBody
    action: ContactAction


class OtherMessage(_Strict):
    """Kinds that the relay does not send: their envelope is checked, their action is taken as it is."""

    type: Literal[
        "flow",
        "product",
        "product_list",
        "catalog_message",
        "carousel",
        "voice_call",
        "address_message",
        "call_permission_request",
    ]
    header: Header | None = None
    body: ShortBody | None = None
    footer: Footer | None = None
    action: dict[str, Any]


Interactive = Annotated[
    ButtonMessage | ListMessage | LinkMessage | LocationRequest | ContactRequest | OtherMessage,
    Field(discriminator="type"),
]
INTERACTIVE_TYPES = {
    "button",
    "list",
    "cta_url",
    "location_request_message",
    "request_contact_info",
    "flow",
    "product",
    "product_list",
    "catalog_message",
    "carousel",
    "voice_call",
    "address_message",
    "call_permission_request",
}
