"""A template's cards and the end of its offer: is each filled in as it has to be? Pure.

Source: Meta's pages on templates that are carousels of media cards or offers for a limited time.
"""

from __future__ import annotations

from collections.abc import Iterator

from relay.core.content import FilledCard, Template
from relay.core.templates.listed import FILES, ShapeCard
from relay.core.templates.values import ARTICLE, AskedTemplate, TemplateMistake, wrong_ends, wrong_values

CARD = 160
"""Characters of one value on a card, whose whole text may have no more."""


def wrong_cards(asked: AskedTemplate, given: Template) -> Iterator[TemplateMistake]:
    wanted, number = len(asked.shape.cards), len(given.cards)
    if not wanted and number:
        yield TemplateMistake("cards", f"{asked.title} is no carousel: it has no cards to fill in")
    elif not number and wanted:
        yield TemplateMistake("cards", f"{asked.title} is a carousel of {wanted} cards; each has to be filled in")
    elif number != wanted:
        yield TemplateMistake("cards", f"{asked.title} has {wanted} cards, not {number}; each has to be filled in")
    if number != wanted:
        return
    for place, (card, values) in enumerate(zip(asked.shape.cards, given.cards, strict=True), 1):
        yield from _card(asked, f"card {place}", card, values)


def wrong_offer(asked: AskedTemplate, given: Template) -> Iterator[TemplateMistake]:
    ends = asked.shape.offer is not None and asked.shape.offer.expires
    if ends and given.offer_ends is None:
        yield TemplateMistake("offer_ends", f"{asked.title} needs the moment at which its offer ends")
    elif given.offer_ends is not None and not ends:
        yield TemplateMistake("offer_ends", f"{asked.title} holds no offer that ends at a moment")


def _card(asked: AskedTemplate, which: str, card: ShapeCard, values: FilledCard) -> Iterator[TemplateMistake]:
    wanted = card.header.format if card.header else "NONE"
    if wanted in FILES and not values.link:
        yield TemplateMistake("cards", f"{asked.title} needs {ARTICLE[wanted]} on its {which}")
    elif wanted in FILES and values.file.upper() != wanted:
        given = ARTICLE[values.file.upper()]
        yield TemplateMistake("cards", f"{asked.title} needs {ARTICLE[wanted]} on its {which}, not {given}")
    yield from wrong_values(asked, "cards", which, card.body, values.body, CARD)
    yield from wrong_ends(asked, "cards", f"{which} of ", card.buttons, values.urls, None)
