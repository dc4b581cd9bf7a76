"""From raw bytes to JSON, as forgiving as can be: what is refused is repeated for days."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from web.webhooks.budget import LARGE_BYTES, Budget

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
NUL = rb"\u0000"
ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<odd>\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""Escaped backslashes and whole pairs of surrogates, so that they are stepped over; what is `odd` is replaced."""


class Unreadable(Exception):
    """It is no JSON."""


def read(raw: bytes, budget: Budget) -> Any:
    """The body. Lone surrogates and NUL, which JSON allows and PostgreSQL does not, are replaced.

    Raises Unreadable, or OverBudget.
    """
    budget.look_at(raw)
    if NUL not in raw:
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            pass
    mended = _mended(raw, budget)
    try:
        return orjson.loads(mended)
    except orjson.JSONDecodeError as error:
        if len(raw) > LARGE_BYTES:
            raise Unreadable from error
    # What only Python's own parser takes: a byte order mark, UTF-16, NaN.
    try:
        return cleaned(json.loads(mended, parse_constant=lambda _: None, parse_int=_integer))
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


def cleaned(value: Any) -> Any:
    """The same without what UTF-8 and PostgreSQL do not take. Raises RecursionError."""
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        return {cleaned(name): cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return value


def _mended(raw: bytes, budget: Budget) -> bytes:
    pieces, done = [], 0
    for match in budget.in_slices(ESCAPES.finditer(raw)):
        if match["odd"]:
            pieces += [raw[done : match.start()], rb"\ufffd"]
            done = match.end()
    return b"".join([*pieces, raw[done:]])


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 19 else float(text)
