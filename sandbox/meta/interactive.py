"""Interactive messages, with the limits that Meta puts on titles, rows and buttons."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sandbox.meta.asking import CallRequest, ContactRequest, FlowMessage, LocationRequest
from sandbox.meta.carousel import CarouselMessage
from sandbox.meta.dialogue import Dialogue, FooterObject, HeaderObject, LinkAction, LongBody, ShortBody, TextHeader
from sandbox.meta.strict import MetaObject, maybe_up_to, up_to


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


class LinkMessage(Dialogue):
    type: Literal["cta_url"]
    action: LinkAction


class OtherMessage(MetaObject):
    """Kinds that the relay does not send: their envelope is checked, their action is taken as it is."""

    type: Literal[
        "product",
        "product_list",
        "catalog_message",
        "voice_call",
        "address_message",
    ]
    header: HeaderObject | None = None
    body: ShortBody | None = None
    footer: FooterObject | None = None
    action: dict[str, Any]


_KINDS = (
    ButtonMessage,
    ListMessage,
    LinkMessage,
    CarouselMessage,
    LocationRequest,
    ContactRequest,
    CallRequest,
    FlowMessage,
    OtherMessage,
)
Interactive = Annotated[
    ButtonMessage
    | ListMessage
    | LinkMessage
    | CarouselMessage
    | LocationRequest
    | ContactRequest
    | CallRequest
    | FlowMessage
    | OtherMessage,
    Field(discriminator="type"),
]
INTERACTIVE_TYPES = {name for kind in _KINDS for name in kind.model_fields["type"].annotation.__args__}  # type: ignore[union-attr]
