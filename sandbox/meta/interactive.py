"""Interactive messages, with the limits that Meta puts on titles, rows and buttons."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sandbox.meta.contents import MediaObject, Named
from sandbox.meta.strict import Filled, MetaObject, WebAddress, maybe_up_to, up_to


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


class ReplyObject(MetaObject):
    id: Annotated[str, up_to(256)]
    title: Annotated[str, up_to(20)]


class ReplyButton(MetaObject):
    type: Literal["reply"]
    reply: ReplyObject


class ButtonAction(MetaObject):
    buttons: Annotated[list[ReplyButton], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _unique(self) -> "ButtonAction":
        for name in ("id", "title"):
            values = [getattr(each.reply, name) for each in self.buttons]
            if len(set(values)) < len(values):
                raise ValueError(f"every button needs its own {name}")
        return self


class ButtonMessage(Dialogue):
    type: Literal["button"]
    action: ButtonAction


class RowObject(MetaObject):
    id: Annotated[str, up_to(200)]
    title: Annotated[str, up_to(24)]
    description: Annotated[str, maybe_up_to(72)] | None = None


class Section(MetaObject):
    title: Annotated[str, up_to(24)] | None = None
    rows: Annotated[list[RowObject], Field(min_length=1, max_length=10)]


class ListAction(MetaObject):
    button: Annotated[str, up_to(20)]
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


class ListMessage(MetaObject):
    type: Literal["list"]
    header: TextHeader | None = None
    body: LongBody
    footer: FooterObject | None = None
    action: ListAction


class LinkParameters(MetaObject):
    display_text: Annotated[str, up_to(20)]
    url: WebAddress


class LinkAction(MetaObject):
    name: Literal["cta_url"]
    parameters: LinkParameters


class LinkMessage(Dialogue):
    type: Literal["cta_url"]
    action: LinkAction


class LocationAction(MetaObject):
    name: Literal["send_location"]


class LocationRequest(MetaObject):
    type: Literal["location_request_message"]
    body: ShortBody
    action: LocationAction


class ContactAction(MetaObject):
    name: Literal["request_contact_info"]


class ContactRequest(MetaObject):
    type: Literal["request_contact_info"]
    body: ShortBody
    action: ContactAction


class FlowParameters(MetaObject):
    flow_message_version: Literal["3"]
    flow_cta: Annotated[str, up_to(30)]
    flow_id: Filled | None = None
    flow_name: Filled | None = None
    flow_token: str | None = None
    mode: Literal["draft", "published"] | None = None
    flow_action: Literal["navigate", "data_exchange"] | None = None
    flow_action_payload: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_flow(self) -> "FlowParameters":
        if (self.flow_id is None) == (self.flow_name is None):
            raise ValueError("exactly one of 'flow_id' and 'flow_name' is required")
        return self


class FlowAction(MetaObject):
    name: Literal["flow"]
    parameters: FlowParameters


class FlowMessage(Dialogue):
    type: Literal["flow"]
    action: FlowAction


class OtherMessage(MetaObject):
    """Kinds that the relay does not send: their envelope is checked, their action is taken as it is."""

    type: Literal[
        "product",
        "product_list",
        "catalog_message",
        "carousel",
        "voice_call",
        "address_message",
        "call_permission_request",
    ]
    header: HeaderObject | None = None
    body: ShortBody | None = None
    footer: FooterObject | None = None
    action: dict[str, Any]


_KINDS = (ButtonMessage, ListMessage, LinkMessage, LocationRequest, ContactRequest, FlowMessage, OtherMessage)
Interactive = Annotated[
    ButtonMessage | ListMessage | LinkMessage | LocationRequest | ContactRequest | FlowMessage | OtherMessage,
    Field(discriminator="type"),
]
INTERACTIVE_TYPES = {name for kind in _KINDS for name in kind.model_fields["type"].annotation.__args__}  # type: ignore[union-attr]
