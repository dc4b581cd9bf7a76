"""Interactive messages, with the limits that Meta puts on titles, rows and buttons."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sandbox.meta.contents import Media, Named
from sandbox.meta.strict import Filled, Strict, WebAddress, maybe_up_to, up_to


class ShortBody(Strict):
    text: Annotated[str, up_to(1024)]


class LongBody(Strict):
    text: Annotated[str, up_to(4096)]


class Footer(Strict):
    text: Annotated[str, up_to(60)]


class TextHeader(Strict):
    type: Literal["text"]
    text: Annotated[str, up_to(60)]


class Header(Strict):
    type: Literal["text", "image", "video", "document"]
    text: Annotated[str, up_to(60)] | None = None
    image: Media | None = None
    video: Media | None = None
    document: Named | None = None

    @model_validator(mode="after")
    def _as_typed(self) -> "Header":
        present = {name for name in self.model_fields_set - {"type"} if getattr(self, name) is not None}
        if present != {self.type}:
            raise ValueError(f"needs '{self.type}' and nothing else")
        return self


class Dialogue(Strict):
    """What all kinds share."""

    header: Header | None = None
    body: ShortBody
    footer: Footer | None = None

    @property
    def file(self) -> tuple[str, Media] | None:
        header = self.header
        return (header.type, getattr(header, header.type)) if header and header.type != "text" else None


class Reply(Strict):
    id: Annotated[str, up_to(256)]
    title: Annotated[str, up_to(20)]


class ReplyButton(Strict):
    type: Literal["reply"]
    reply: Reply


class ButtonAction(Strict):
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


class Row(Strict):
    id: Annotated[str, up_to(200)]
    title: Annotated[str, up_to(24)]
    description: Annotated[str, maybe_up_to(72)] | None = None


class Section(Strict):
    title: Annotated[str, up_to(24)] | None = None
    rows: Annotated[list[Row], Field(min_length=1, max_length=10)]


class ListAction(Strict):
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


class ListMessage(Strict):
    type: Literal["list"]
    header: TextHeader | None = None
    body: LongBody
    footer: Footer | None = None
    action: ListAction


class LinkParameters(Strict):
    display_text: Annotated[str, up_to(20)]
    url: WebAddress


class LinkAction(Strict):
    name: Literal["cta_url"]
    parameters: LinkParameters


class LinkMessage(Dialogue):
    type: Literal["cta_url"]
    action: LinkAction


class LocationAction(Strict):
    name: Literal["send_location"]


class LocationRequest(Strict):
    type: Literal["location_request_message"]
    body: ShortBody
    action: LocationAction


class ContactAction(Strict):
    name: Literal["request_contact_info"]


class ContactRequest(Strict):
    type: Literal["request_contact_info"]
    body: ShortBody
    action: ContactAction


class FlowParameters(Strict):
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


class FlowAction(Strict):
    name: Literal["flow"]
    parameters: FlowParameters


class FlowMessage(Dialogue):
    type: Literal["flow"]
    action: FlowAction


class OtherMessage(Strict):
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
    header: Header | None = None
    body: ShortBody | None = None
    footer: Footer | None = None
    action: dict[str, Any]


_KINDS = (ButtonMessage, ListMessage, LinkMessage, LocationRequest, ContactRequest, FlowMessage, OtherMessage)
Interactive = Annotated[
    ButtonMessage | ListMessage | LinkMessage | LocationRequest | ContactRequest | FlowMessage | OtherMessage,
    Field(discriminator="type"),
]
INTERACTIVE_TYPES = {name for kind in _KINDS for name in kind.model_fields["type"].annotation.__args__}  # type: ignore[union-attr]
