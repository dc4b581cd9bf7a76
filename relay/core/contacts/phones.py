"""Phone numbers as people dial them, and those that WhatsApp writes in two ways: one spelling, so that one person
stays one person.

Meta reports Brazilian mobiles with and without the ninth digit, Mexican ones with and without the 1 behind the
country code, Argentine ones with and without the 9 there.
"""

from __future__ import annotations

import re

_LONGEST = 64

# The form of the numbers that vary, and how the one spelling is made of its groups.
_SPELLINGS = (
    # Brazil: area code, then 9 and eight digits. Eight digits alone that begin with 2 to 5 are a landline.
    (re.compile(r"55([1-9][1-9])9?([6-9][0-9]{7})"), r"55\g<1>9\g<2>"),
    (re.compile(r"521?([2-9][0-9]{9})"), r"52\g<1>"),
    (re.compile(r"549?([1-8][0-9]{9})"), r"549\g<1>"),
)

# Spaces, hyphens and dashes, and the marks of writing direction that come along when a number is copied.
_BETWEEN = re.compile(r"[\s()/.\-\u2010-\u2015\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INTERNATIONAL = re.compile(r"(?:\+|00)?([1-9][0-9]{4,14})")


def dialled(number: str) -> str | None:
    """The digits of a number as somebody wrote it, "+49 (0)170 111-2223" or "0049170..."; None for anything else.

    A number without country code, which begins with a 0, cannot be dialled.
    """
    if len(number) > _LONGEST:
        return None
    found = _INTERNATIONAL.fullmatch(_BETWEEN.sub("", number.replace("(0)", "")))
    return found[1] if found else None


def normalised(digits: str) -> str | None:
    """The one spelling of a number with country code and without +; None for numbers that have just one."""
    for form, spelling in _SPELLINGS:
        found = form.fullmatch(digits)
        if found is not None:
            return found.expand(spelling)
    return None
