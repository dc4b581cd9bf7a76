"""The components of a filled-in template: texts, buttons, a carousel's cards, the end of an offer.

Source: Meta's pages on templates that are carousels of media cards or offers for a limited time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from relay.channels.http.reading import without_none
from relay.core.content import FilledCard, Parameter, Template
from relay.core.templates.listed import ShapeButton, TemplateShape

JsonObject = dict[str, Any]


def component(kind: str, parameters: list[JsonObject]) -> list[JsonObject]:
    """None where there is nothing in it."""
    return [{"type": kind, "parameters": parameters}] if parameters else []


def texts(parameters: Iterable[Parameter]) -> list[JsonObject]:
    return [without_none({"type": "text", "parameter_name": one.name, "text": one.text}) for one in parameters]


def filled_buttons(urls: Iterable[tuple[int, str]], buttons: Sequence[ShapeButton]) -> list[JsonObject]:
    """What completes links, and codes to copy. `buttons` are the template's where they are known."""
    coupons = {place for place, one in enumerate(buttons) if one.type == "COPY_CODE"}
    return [
        button("copy_code", place, {"type": "coupon_code", "coupon_code": text})
        if place in coupons
        else button("url", place, {"type": "text", "text": text})
        for place, text in urls
    ]


def button(kind: str, place: int, parameter: JsonObject) -> JsonObject:
    return {"type": "button", "sub_type": kind, "index": str(place), "parameters": [parameter]}


def further(wanted: Template, shape: TemplateShape | None) -> Iterator[JsonObject]:
    """When its offer ends, and its cards."""
    if wanted.offer_ends is not None:
        ends = {"expiration_time_ms": int(wanted.offer_ends * 1000)}
        parameter = {"type": "limited_time_offer", "limited_time_offer": ends}
        yield from component("limited_time_offer", [parameter])
    if wanted.cards:
        shown = shape.cards if shape is not None else ()
        buttons = [one.buttons for one in shown] if len(shown) == len(wanted.cards) else [()] * len(wanted.cards)
        cards = [_card(place, one, buttons[place]) for place, one in enumerate(wanted.cards)]
        yield {"type": "carousel", "cards": cards}


def _card(place: int, card: FilledCard, buttons: Sequence[ShapeButton]) -> JsonObject:
    """A tapped answer says by its payload which card it stood on: the same button is on all of them."""
    header = [{"type": card.file, card.file: {"link": card.link}}] if card.link else []
    replies = [(index, one.text) for index, one in enumerate(buttons) if one.type == "QUICK_REPLY"]
    components = [
        *component("header", header),
        *component("body", texts(card.body)),
        *filled_buttons(card.urls, buttons),
        *(
            button("quick_reply", index, {"type": "payload", "payload": f"{place + 1}. {text}"})
            for index, text in replies
        ),
    ]
    return {"card_index": place, "components": components}
