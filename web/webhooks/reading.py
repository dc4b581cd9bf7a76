"""From raw bytes to JSON, as forgiving as can be: what is refused is repeated for days."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

UNREADABLE = object()
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
NUL = rb"\u0000"
REFS = {
    "whatsapp": re.compile(rb'"phone_number_id"\s*:\s*"([0-9]{1,32})"'),
    "genesys": re.compile(rb'"id"\s*:\s*"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"'),
}
REFS_GUESSED = 8


def read(raw: bytes) -> Any:
    """The body, or UNREADABLE. Lone surrogates and NUL, which JSON allows and PostgreSQL does not, are replaced."""
    try:
        if NUL not in raw:
            return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return cleaned(json.loads(raw, parse_constant=lambda _: None, parse_int=_integer))
    except (ValueError, RecursionError):
        return UNREADABLE


def cleaned(value: Any) -> Any:
    """The same without what UTF-8 and PostgreSQL do not take. Raises RecursionError."""
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        return {cleaned(name): cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return value


def guessed_refs(channel: str, raw: bytes) -> list[str]:
    """Lines that an unreadable body seems to name: candidates for whose secret signs it, no more."""
    found = (match.group(1).decode() for match in REFS[channel].finditer(raw))
    return list(dict.fromkeys(found))[:REFS_GUESSED]


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 19 else float(text)
