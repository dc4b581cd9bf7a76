"""Cards side by side, each with a picture or a video, and all with the same sort of buttons."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sandbox.meta.contents import MediaObject
from sandbox.meta.dialogue import LinkParameters, ShortBody
from sandbox.meta.strict import MetaObject, up_to


class CardHeader(MetaObject):
    type: Literal["image", "video"]
    image: MediaObject | None = None
    video: MediaObject | None = None

    @model_validator(mode="after")
    def _as_typed(self) -> "CardHeader":
        if {name for name in ("image", "video") if getattr(self, name) is not None} != {self.type}:
            raise ValueError(f"needs '{self.type}' and nothing else")
        return self

    @property
    def file(self) -> MediaObject:
        found = self.image or self.video
        assert found is not None
        return found


class CardBody(MetaObject):
    text: Annotated[str, up_to(160)]

    @model_validator(mode="after")
    def _short(self) -> "CardBody":
        if self.text.count("\n") > 2:
            raise ValueError("may hold two line breaks")
        return self


class QuickReply(MetaObject):
    id: Annotated[str, up_to(256)]
    title: Annotated[str, up_to(20)]


class QuickReplyButton(MetaObject):
    type: Literal["quick_reply"]
    quick_reply: QuickReply


class CardAction(MetaObject):
    """A link, or buttons."""

    name: Literal["cta_url"] | None = None
    parameters: LinkParameters | None = None
    buttons: Annotated[list[QuickReplyButton], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "CardAction":
        if (self.buttons is None) == (self.name is None) or (self.name is None) != (self.parameters is None):
            raise ValueError("needs either 'name' and 'parameters', or 'buttons'")
        return self


class Card(MetaObject):
    card_index: Annotated[int, Field(ge=0, le=9)]
    type: Literal["cta_url"]
    header: CardHeader
    body: CardBody | None = None
    action: CardAction


class CarouselAction(MetaObject):
    cards: Annotated[list[Card], Field(min_length=2, max_length=10)]

    @model_validator(mode="after")
    def _alike(self) -> "CarouselAction":
        if [card.card_index for card in self.cards] != list(range(len(self.cards))):
            raise ValueError("cards are counted from 0 in 'card_index'")
        if len({len(card.action.buttons or ()) for card in self.cards}) > 1:
            raise ValueError("all cards need the same sort and number of buttons")
        return self


class CarouselMessage(MetaObject):
    type: Literal["carousel"]
    body: ShortBody
    action: CarouselAction
