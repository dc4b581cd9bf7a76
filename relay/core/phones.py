"""Phone numbers that WhatsApp writes in two ways: one spelling for both, so that one person stays one person.

Meta reports Brazilian mobiles with and without the ninth digit, Mexican ones with and without the 1 behind the
country code, Argentine ones with and without the 9 there.
"""

from __future__ import annotations

import re

# The form of the numbers that vary, and how the one spelling is made of its groups.
_SPELLINGS = (
    # Brazil: area code, then 9 and eight digits. Eight digits alone that begin with 2 to 5 are a landline.
    (re.compile(r"55([1-9][1-9])9?([6-9][0-9]{7})"), r"55\g<1>9\g<2>"),
    (re.compile(r"521?([2-9][0-9]{9})"), r"52\g<1>"),
    (re.compile(r"549?([1-8][0-9]{9})"), r"549\g<1>"),
)


def normalised(digits: str) -> str | None:
    """The one spelling of a number with country code and without +; None for numbers that have just one."""
    for form, spelling in _SPELLINGS:
        found = form.fullmatch(digits)
        if found is not None:
            return found.expand(spelling)
    return None
