"""What a program may send to a phone beside texts, files and templates: each with WhatsApp's own limits.

Source: Meta's *-messages pages of 2026. Where Meta says characters, UTF-16 units are counted, to be safe.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from relay.core.lengths import units
from web.api.tenants.schemas import RequestModel
from web.request.wording import wrong

MOST_CARDS = 10
ROWS = 10


def readable(value: str) -> str:
    """What people write, lines and tabs included."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in value):
        raise ValueError("holds characters that cannot be printed")
    return value


def web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https://")
    return value


def _up_to(most: int) -> AfterValidator:
    def check(value: str) -> str:
        if units(value) > most:
            raise ValueError(f"must have at most {most} characters; most emoji count as two")
        return value

    return AfterValidator(check)


def _emoji(value: str) -> str:
    if re.search(r"[A-Za-z\s]", value):
        raise ValueError('must be one emoji, or "" to take the reaction back')
    return value


def _short_lines(value: str) -> str:
    if value.count("\n") > 2:
        raise ValueError("must have at most 2 line breaks")
    return value


WebUrl = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(readable), AfterValidator(web_address)]
Line20 = Annotated[str, Field(min_length=1, max_length=20), AfterValidator(readable), _up_to(20)]
Line24 = Annotated[str, Field(min_length=1, max_length=24), AfterValidator(readable), _up_to(24)]
Line30 = Annotated[str, Field(min_length=1, max_length=30), AfterValidator(readable), _up_to(30)]
Line60 = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(readable), _up_to(60)]
Line72 = Annotated[str, Field(min_length=1, max_length=72), AfterValidator(readable), _up_to(72)]
CardText = Annotated[
    str, Field(min_length=1, max_length=160), AfterValidator(readable), _up_to(160), AfterValidator(_short_lines)
]
Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(readable)]
ButtonId = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(readable)]
Caption = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(readable)]
FileLink = Annotated[WebUrl, Field(description="where WhatsApp fetches the file")]
MessageId = Annotated[
    str,
    Field(min_length=1, max_length=255, description="WhatsApp's id of the message, or the id that this API gave it"),
    AfterValidator(readable),
]


class Heading(RequestModel):
    """What stands above: a short text, or a file that WhatsApp fetches."""

    text: Line60 | None = None
    type: Literal["image", "video", "document"] | None = None
    url: FileLink | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.url is None) or (self.type is None) != (self.url is None):
            raise ValueError("must have either `text`, or `type` and `url`")
        return self


class ReplyChoice(RequestModel):
    """A button that is an answer; its id comes back as the attribute whatsapp_button_id."""

    id: ButtonId
    title: Line20


class LinkChoice(RequestModel):
    title: Line20
    url: WebUrl


class ListRowChoice(RequestModel):
    id: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(readable)]
    title: Line24
    description: Line72 | None = None


class MenuSection(RequestModel):
    title: Line24 | None = Field(None, description="needed where there are several sections")
    rows: list[ListRowChoice] = Field(min_length=1, max_length=ROWS)


class ListChoices(RequestModel):
    button: Line20 = Field(description="what opens the list")
    sections: list[MenuSection] = Field(min_length=1, max_length=10)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > ROWS:
            raise wrong({"sections": f"must have at most {ROWS} rows in all"})
        if len({row.id for row in rows}) < len(rows):
            raise wrong({"sections": "must give each row an id of its own"})
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise wrong({"sections": "must each have a title where there are several"})
        return self


class CarouselCard(RequestModel):
    """A picture or a video with a link, or with answers, below it."""

    type: Literal["image", "video"] = "image"
    url: FileLink
    text: CardText | None = None
    link: LinkChoice | None = None
    buttons: Annotated[list[ReplyChoice], Field(min_length=1, max_length=3)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.link is None) == (self.buttons is None):
            raise ValueError("must have either `link` or `buttons`")
        return self


class MapPoint(RequestModel):
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    name: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(readable)] | None = None
    address: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(readable)] | None = None

    @model_validator(mode="after")
    def _is_shown(self) -> Self:
        if self.address is not None and self.name is None:
            raise wrong({"name": "is missing; WhatsApp shows an address below a name only"})
        return self


class FlowForm(RequestModel):
    id: Word | None = Field(None, description="the flow's id at Meta; or `name`")
    name: Word | None = None
    button: Line30 = Field("Open", description="what opens it")
    token: Word | None = Field(None, description="comes back with the answers")
    mode: Literal["draft", "published"] | None = None
    screen: Word | None = Field(None, description="where it begins")
    data: Annotated[dict[Word, Word], Field(min_length=1, max_length=50)] | None = Field(
        None, description="what that screen is given"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.id is None) == (self.name is None):
            raise ValueError("must have either `id` or `name`")
        if self.data is not None and self.screen is None:
            raise wrong({"screen": "is missing; `data` is given to a screen"})
        return self


class ReactionSign(RequestModel):
    message_id: MessageId
    emoji: Annotated[str, Field(max_length=30), AfterValidator(_emoji)] = Field(description='"" takes it back')


class CardName(RequestModel):
    formatted_name: Word
    first_name: Word | None = None
    last_name: Word | None = None
    middle_name: Word | None = None
    prefix: Word | None = None
    suffix: Word | None = None

    @model_validator(mode="after")
    def _has_parts(self) -> Self:
        if not (self.first_name or self.last_name or self.middle_name or self.prefix or self.suffix):
            raise wrong({"first_name": "is missing; WhatsApp wants one name beside `formatted_name`"})
        return self


class CardPhone(RequestModel):
    phone: Word | None = None
    type: Word | None = None
    wa_id: Word | None = None


class CardEmail(RequestModel):
    email: Word | None = None
    type: Word | None = None


class CardUrl(RequestModel):
    url: Word | None = None
    type: Word | None = None


class CardAddress(RequestModel):
    street: Word | None = None
    city: Word | None = None
    state: Word | None = None
    zip: Word | None = None
    country: Word | None = None
    country_code: Word | None = None
    type: Word | None = None


class CardOrganisation(RequestModel):
    company: Word | None = None
    department: Word | None = None
    title: Word | None = None


class ContactCard(RequestModel):
    """By Meta's own names."""

    name: CardName
    phones: list[CardPhone] = Field([], max_length=50)
    emails: list[CardEmail] = Field([], max_length=50)
    urls: list[CardUrl] = Field([], max_length=50)
    addresses: list[CardAddress] = Field([], max_length=50)
    org: CardOrganisation | None = None
    birthday: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None


def plain(value: RequestModel) -> dict[str, Any]:
    """As JSON, without what was left out."""
    return value.model_dump(exclude_none=True, exclude_defaults=False)
