"""A template as the phone will show it, filled in as far as values are there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.core.content import FilledCard, Parameter, Template
from relay.core.templates.listed import (
    ListedTemplate,
    ShapeButton,
    ShapeCard,
    ShapeHeader,
    TemplateShape,
    filled,
    places,
)

_OPENS = {
    "QUICK_REPLY": "answers with these words",
    "PHONE_NUMBER": "calls",
    "COPY_CODE": "copies the code",
    "OTP": "copies the code",
    "FLOW": "opens a form",
    "CATALOG": "opens the catalogue",
    "MPM": "shows products",
    "VOICE_CALL": "calls the business on WhatsApp",
    "REQUEST_CONTACT_INFO": "shares the phone number",
}


@dataclass(frozen=True, slots=True)
class PreviewedButton:
    """`does` says what a tap does; of a link, its address."""

    text: str
    does: str
    link: bool = False


@dataclass(frozen=True, slots=True)
class PreviewedCard:
    """A bubble, or a card of a carousel. `file` is image, video, document or location where one stands above."""

    file: str = ""
    title: str = ""
    body: str = ""
    buttons: tuple[PreviewedButton, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplatePreview:
    bubble: PreviewedCard
    footer: str
    offer: str
    cards: tuple[PreviewedCard, ...]
    right_to_left: bool


def preview(template: ListedTemplate, given: Template | None = None) -> TemplatePreview:
    """With the examples that Meta was shown where `given` has no value."""
    shape = template.shape or TemplateShape()
    body = {**shape.examples, **_values(shape.body, given.body if given else ())}
    title = _values(shape.header.text if shape.header else "", given.header if given else ())
    ends = dict(given.urls) if given else {}
    bubble = PreviewedCard(
        _file(shape.header),
        filled(shape.header.text, title) if shape.header else "",
        filled(shape.body, body),
        tuple(_button(one, ends.get(place, "")) for place, one in enumerate(shape.buttons)),
    )
    cards = tuple(
        _card(one, given.cards[place] if given and place < len(given.cards) else FilledCard())
        for place, one in enumerate(shape.cards)
    )
    return TemplatePreview(bubble, shape.footer, shape.offer.text if shape.offer else "", cards, template.right_to_left)


def _card(card: ShapeCard, given: FilledCard) -> PreviewedCard:
    ends = dict(given.urls)
    return PreviewedCard(
        _file(card.header),
        body=filled(card.body, _values(card.body, given.body)),
        buttons=tuple(_button(one, ends.get(place, "")) for place, one in enumerate(card.buttons)),
    )


def _values(text: str, given: Sequence[Parameter]) -> Mapping[str, str]:
    if any(one.name for one in given):
        return {one.name or "": one.text for one in given}
    return dict(zip(places(text), (one.text for one in given), strict=False))


def _file(header: ShapeHeader | None) -> str:
    return "" if header is None or header.format == "TEXT" else header.format.lower()


def _button(button: ShapeButton, end: str = "") -> PreviewedButton:
    if button.type == "URL":
        address = filled(button.url, dict.fromkeys(places(button.url), end)) if end else button.url
        return PreviewedButton(button.text, address, link=True)
    does = _OPENS.get(button.type, button.type.replace("_", " ").lower())
    return PreviewedButton(button.text or does, f"{does} {button.phone}".strip())
