"""The languages that people are written to in, and sentences that can be said in each of them. Pure.

What is written for people stands in the code in English; the other languages' words are in `relay.stores.catalogues`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "pt": "Português"}
"""By their codes, each as its own speakers call it."""
DEFAULT = "en"
MOST_WISHES = 20
"""A stranger's browser may name any number of languages."""


Say = Callable[[str], str]
"""Says a phrase in its reader's language; `str` leaves it English."""


class Phrase(str):
    """An English sentence that still knows what it was made of, so that it can be said in another language."""

    __slots__ = ("pattern", "values")
    pattern: str
    values: dict[str, Any]


def phrase(pattern: str, **values: Any) -> Phrase:
    """`pattern` stands in the catalogues as it is, and has a place %(name)s for each value.

    Whole numbers are written with marks between the thousands: hand over as text what is none, such as a status.
    """
    shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
    text = Phrase(pattern % shown if values else pattern)
    text.pattern, text.values = pattern, values
    return text


def together(parts: Iterable[str], between: str = "\n") -> str:
    """Texts one after another, of which each phrase can still be said in another language."""
    parts = list(parts)
    if not any(isinstance(one, Phrase) for one in parts):
        return between.join(parts)
    values = {f"part{number}": one for number, one in enumerate(parts)}
    return phrase(between.join(f"%({name})s" for name in values), **values)


def bracketed(text: str) -> str:
    """As what the relay says of its own stands among other people's words."""
    return together(("[", text, "]"), "")


def known(code: str | None) -> str | None:
    """The one of ours that `code` names: de-AT and de_CH name `de`."""
    first = (code or "").replace("_", "-").partition("-")[0].lower()
    return first if first in LANGUAGES else None


def wished(wishes: Iterable[tuple[str, float]]) -> str | None:
    """The one of ours that a browser wants most; pairs of code and quality, as Accept-Language has them."""
    wanted = sorted(list(wishes)[:MOST_WISHES], key=lambda one: -one[1])
    return next((found for code, quality in wanted if quality > 0 and (found := known(code))), None)
