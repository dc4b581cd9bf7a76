"""How a program fills in an approved template."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, WrapValidator, model_validator

from relay.core.content import FilledCard, Parameter, Template
from web.api.messages.sending_contents import MOST_CARDS, Caption, FileLink, WebUrl
from web.api.tenants.schemas import VALUES, Name, RequestModel, TemplateLanguage, TemplateName


class HeaderValues(RequestModel):
    """A text to put into the header, or the file that stands there."""

    text: Caption | None = None
    type: Literal["image", "video", "document"] | None = None
    url: WebUrl | None = Field(
        None, description="where the relay fetches the file, once; https at port 443 and a public address"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.url is None) or (self.type is None) != (self.url is None):
            raise ValueError("must have either `text`, or `type` and `url`")
        return self


def _listed_or_named(value: Any, _handler: object) -> Any:
    """What is wrong is said about the one way that was meant, not about both."""
    if isinstance(value, (list, tuple)):
        return _LISTED.validate_python(value)
    if isinstance(value, dict):
        return _NAMED.validate_python(value)
    raise ValueError('must be a list of texts, ["Ada"], or an object of names and texts, {"name": "Ada"}')


def _button(value: str) -> str:
    if not (len(value) == 1 and value in "0123456789"):
        raise ValueError("is no place of a button; the first button's is 0, the last one's 9 at most")
    return value


Listed = Annotated[list[Caption], Field(max_length=20)]
Named = Annotated[dict[Name, Caption], Field(max_length=20)]
Parameters = Annotated[Listed | Named, WrapValidator(_listed_or_named)]
_LISTED: TypeAdapter[Listed] = TypeAdapter(Listed, config=VALUES)
_NAMED: TypeAdapter[Named] = TypeAdapter(Named, config=VALUES)
ButtonPlace = Annotated[str, AfterValidator(_button), Field(json_schema_extra={"pattern": "^[0-9]$"})]


class CardHeaderFile(RequestModel):
    """The picture or video on a card."""

    type: Literal["image", "video"] = "image"
    url: FileLink


class CardValues(RequestModel):
    """What is put into one card of a carousel."""

    header: CardHeaderFile | None = None
    parameters: Parameters = Field(default=[], description="of the card's text, as for the body")
    urls: dict[ButtonPlace, Caption] = Field(
        default={}, description="what is put into a link: by the place of its button on the card, from 0"
    )

    @property
    def canonical(self) -> FilledCard:
        file, link = (self.header.type, self.header.url) if self.header is not None else ("image", "")
        return FilledCard(file, link, _values(self.parameters), _ends(self.urls))


class TemplateRequest(RequestModel):
    """An approved template: the only kind of message that may go out 24 hours after the contact last wrote."""

    name: TemplateName
    language: TemplateLanguage
    parameters: Parameters = Field(
        default=[], description="of the body: a list for numbered ones, an object for named ones"
    )
    header: HeaderValues | None = None
    urls: dict[ButtonPlace, Caption] = Field(
        default={}, description="what is put into a link: by the place of its button, from 0"
    )

    cards: Annotated[list[CardValues], Field(max_length=MOST_CARDS)] = Field(
        default=[], description="of a carousel: all of its cards, in their order"
    )
    offer_ends: AwareDatetime | None = Field(
        None,
        description="of an offer for a limited time: when it ends, with its time zone",
        examples=["2026-12-24T18:00:00+01:00"],
    )

    @property
    def file(self) -> str | None:
        """The kind of the file in its header."""
        return self.header.type if self.header is not None else None

    @property
    def canonical(self) -> Template:
        header = (Parameter(self.header.text),) if self.header is not None and self.header.text is not None else ()
        return Template(
            self.name,
            self.language,
            _values(self.parameters),
            header,
            _ends(self.urls),
            cards=tuple(one.canonical for one in self.cards),
            offer_ends=self.offer_ends.timestamp() if self.offer_ends is not None else None,
        )


def _values(given: list[str] | dict[str, str]) -> tuple[Parameter, ...]:
    if isinstance(given, dict):
        return tuple(Parameter(text, name) for name, text in given.items())
    return tuple(map(Parameter, given))


def _ends(given: dict[str, str]) -> tuple[tuple[int, str], ...]:
    return tuple((int(place), text) for place, text in given.items())
