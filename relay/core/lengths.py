"""Lengths in UTF-16 units, never less than what a provider counts, whichever way it counts; and where to cut."""

from __future__ import annotations

import unicodedata

_LONGEST_SIGN = 40
"""Characters that may belong to one sign: a family with skin tones has eleven, a flag of a region seven."""
_JOINERS = ("\u200d", "\ufe0e", "\ufe0f", "\u20e3")


def units(text: str) -> int:
    """How many units the text has."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitting(text: str, limit: int) -> int:
    """How many of its characters fit into `limit` units."""
    if text.isascii():
        return limit
    return len(text.encode("utf-16-le", "surrogatepass")[: limit * 2].decode("utf-16-le", "ignore"))


def whole(text: str, end: int) -> int:
    """`end`, or as few characters before it as it takes to tear no sign apart; of what is no sign at all, `end`."""
    for place in range(end, max(end - _LONGEST_SIGN, 0), -1):
        if not _joined(text, place):
            return place
    return end


def _joined(text: str, end: int) -> bool:
    """A cut at `end` would tear something apart: joined or coloured emoji, accents, flags."""
    before, after = text[end - 1], text[end]
    if after in _JOINERS or before == "\u200d" or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    return _flag_letter(after) and _flag_letters_before(text, end) % 2 == 1


def _flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, end: int) -> int:
    start = end
    while start and _flag_letter(text[start - 1]):
        start -= 1
    return end - start
