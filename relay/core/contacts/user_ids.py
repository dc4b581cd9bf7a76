"""Business-scoped user ids (BSUID): how WhatsApp names people whose number it keeps back.

Source: Meta's BSUID page of May 2026. Two country letters, a dot, up to 128 letters and digits: US.1349120; those that
several portfolios share have ENT. behind the dot. Letter case counts. An id is never given to anybody else.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"[A-Za-z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


def is_user_id(name: str) -> bool:
    """A whole one: for what people, agents and programs name, and for where Meta may write either kind of name."""
    return _WHOLE.fullmatch(name) is not None


def begins_like_one(name: str) -> bool:
    """No phone number has a dot behind two letters.

    For names that Meta gave in the fields of user ids: they are kept as they came, even should it use more characters
    one day, and must never be taken for numbers, which change hands.
    """
    return name[2:3] == "." and name[:2].isalpha()


def country_of(name: str) -> str:
    """The country that such an id begins with, as ISO 3166 writes it; "" where the name is none."""
    return name[:2].upper() if is_user_id(name) else ""
