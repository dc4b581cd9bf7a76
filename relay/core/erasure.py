"""What names a person, and JSON without what does: the parts of an erasure that need no store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from relay.core.contacts.phones import dialled, normalised

DEPTH = 100
"""Deeper than any provider nests; what lies below counts as naming whomever is looked for."""
GONE = object()
"""In place of JSON of which nothing is left."""

Named = Callable[[str], bool]


def spellings(name: str) -> set[str]:
    """Every form in which a number or user id may stand in a body or key: as it is, dialled, in the one spelling."""
    digits = dialled(name)
    forms = {name, digits, digits and f"+{digits}", digits and normalised(digits)}
    return {one for one in forms if one}


def without(body: Any, named: Named) -> Any:
    """The same JSON without the smallest parts that name the person: members of lists, else the whole (GONE).

    A webhook's messages, contacts, statuses and changes are members of lists; what names others there stays.
    """
    return _pruned(body, named, 0)


def _pruned(value: Any, named: Named, depth: int) -> Any:
    if depth > DEPTH:
        return GONE
    if isinstance(value, str):
        return GONE if named(value) else value
    if isinstance(value, list):
        kept = [found for one in value if (found := _pruned(one, named, depth + 1)) is not GONE]
        return kept if kept or not value else _all_gone(value)
    if isinstance(value, dict):
        return _pruned_object(value, named, depth)
    return value


def _all_gone(value: list[Any]) -> Any:
    """A list of texts that named the person is part of what holds it; a list of objects may as well be empty."""
    return [] if all(isinstance(one, dict) for one in value) else GONE


def _pruned_object(value: dict[str, Any], named: Named, depth: int) -> Any:
    found = {}
    for key, one in value.items():
        kept = GONE if named(key) else _pruned(one, named, depth + 1)
        if kept is GONE:
            return GONE
        found[key] = kept
    return found


def without_in_text(raw: bytes, named: Named, hint: Callable[[bytes], bool]) -> bytes | None:
    """The same body rewritten; None where nothing of it may stay; the same object where it names nobody looked for.

    `hint`: whether the bytes may name the person at all. What cannot be read and may, goes as a whole.
    """
    if not hint(raw):
        return raw
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    kept = without(body, named)
    if kept is GONE:
        return None
    return raw if kept == body else json.dumps(kept, separators=(",", ":")).encode()


def hint_of(names: Iterable[str]) -> Callable[[bytes], bool]:
    """Whether a body holds any of the names, in whatever JSON makes of it."""
    needles = {one.encode() for name in names for one in (name, json.dumps(name)[1:-1])}
    return lambda raw: any(one in raw for one in needles)
