"""A template as a send request names it; whether it fits the approved one is template.py's business."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sandbox.meta.contents import LocationObject, MediaObject, Named
from sandbox.meta.strict import Filled, MetaObject

PAYLOAD = 256
"""For a quick reply's payload Meta's pages name no limit; a reply button's id, which comes back likewise, has 256."""


class Language(MetaObject):
    code: Filled
    policy: Literal["deterministic"] | None = None


class Currency(MetaObject):
    fallback_value: Filled
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    amount_1000: int


class DateTime(MetaObject):
    fallback_value: Filled


class OfferEnd(MetaObject):
    expiration_time_ms: Annotated[int, Field(gt=0)]


class ParameterObject(MetaObject):
    type: Literal[
        "text", "currency", "date_time", "image", "video", "document", "location", "payload", "coupon_code", "action",
        "limited_time_offer",
    ]  # fmt: skip
    parameter_name: str | None = None
    text: str | None = None
    currency: Currency | None = None
    date_time: DateTime | None = None
    image: MediaObject | None = None
    video: MediaObject | None = None
    document: Named | None = None
    location: LocationObject | None = None
    payload: Annotated[str, Field(max_length=PAYLOAD)] | None = None
    coupon_code: Annotated[str, Field(max_length=20)] | None = None
    action: dict[str, Any] | None = None
    limited_time_offer: OfferEnd | None = None

    @model_validator(mode="after")
    def _as_typed(self) -> "ParameterObject":
        others = self.model_fields_set - {"type", "parameter_name", self.type}
        if others:
            raise ValueError(f"of type '{self.type}' cannot hold '{min(others)}'")
        return self

    @property
    def value(self) -> Any:
        """None, or an empty text, when it is missing."""
        given = getattr(self, self.type)
        return given.fallback_value if isinstance(given, Currency | DateTime) else given


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Component(MetaObject):
    type: Annotated[Literal["header", "body", "button", "carousel", "limited_time_offer"], BeforeValidator(_lower)]
    sub_type: Annotated[str, BeforeValidator(_lower)] | None = None
    index: Annotated[int, Field(ge=0, le=9)] | None = None
    parameters: list[ParameterObject] = Field(default_factory=list)
    cards: Annotated[list["CardObject"], Field(max_length=10)] | None = None


class Filling(MetaObject):
    components: list[Component] = Field(default_factory=list)

    def parameters(self, component: str) -> list[ParameterObject]:
        return [each for one in self.components if one.type == component for each in one.parameters]

    def button(self, index: int) -> Component | None:
        return next((each for each in self.components if each.type == "button" and each.index == index), None)


class CardObject(Filling):
    card_index: Annotated[int, Field(ge=0, le=9)]


class TemplateObject(Filling):
    name: Filled
    language: Language

    @property
    def file(self) -> tuple[str, MediaObject] | None:
        """The header's file, and which kind it is."""
        for each in self.parameters("header"):
            if each.type in ("image", "video", "document") and each.value is not None:
                return each.type, each.value
        return None
