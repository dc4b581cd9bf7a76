"""What names a person, and JSON without what does: the parts of an erasure that need no store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from relay.core.contacts.phones import dialled, normalised
from relay.core.contacts.user_ids import is_user_id

DEPTH = 100
"""Deeper than any provider nests; of what lies below all stays or nothing does."""
GONE = object()
"""In place of JSON of which nothing is left."""

Named = Callable[[str], bool]
Pruned = Callable[[Any], Any]
"""A part of a body without the person; None: nothing of it is left."""
WORD = re.compile(r"[0-9A-Za-z.+_-]{5,200}")
MOST_WORDS = 20_000
"""Different ones of one text. A longer one that cannot be read counts as naming whomever is looked for."""
SHORTEST_NUMBER = 7


def sought(contact: str) -> str:
    """The number or user id that somebody means who asks for an erasure. Raises ValueError, in words."""
    given = contact.strip()
    if is_user_id(given):
        return given
    digits = dialled(given)
    if digits is None:
        raise ValueError("must be a phone number with country code, or a business-scoped user id")
    if len(digits) < SHORTEST_NUMBER:
        raise ValueError(
            f"is too short: a phone number with its country code has {SHORTEST_NUMBER} digits or more, and an erasure "
            "cannot be undone"
        )
    return digits


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
        return GONE if any(map(named, _texts(value))) else value
    if isinstance(value, str):
        return GONE if named(value) else value
    if isinstance(value, list):
        kept = [found for one in value if (found := _pruned(one, named, depth + 1)) is not GONE]
        return kept if kept or not value else _all_gone(value)
    if isinstance(value, dict):
        return _pruned_object(value, named, depth)
    return value


def _texts(value: Any) -> Iterator[str]:
    """Every text and key in it, however deep."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            left.extend(one)
        elif isinstance(one, dict):
            left.extend(one)
            left.extend(one.values())


def mentions(text: str, named: Named) -> bool:
    """Whether a whole word of a text that is no JSON is a name of the person. A number inside a longer one is not."""
    words = set()
    for found in WORD.finditer(text):
        words.add(found[0])
        if len(words) > MOST_WORDS:
            return True
    return any(named(word) or named(word.strip(".-_")) for word in words)


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


def without_in_text(
    raw: bytes, named: Named, hint: Callable[[bytes], bool], own: Callable[[Any, Pruned], Any] | None = None
) -> bytes | None:
    """The same body rewritten; None where nothing of it may stay; the same object where it names nobody looked for.

    `hint`: whether the bytes may name the person at all. `own`: puts only the parts of one tenant through what takes
    the person out, of a body that belongs to several (a channel's `rewrite`). What cannot be read goes as a whole where
    a word of it is a name of the person, else it stays.
    """
    if not hint(raw):
        return raw
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None if mentions(raw.decode("latin-1"), named) else raw

    def pruned(part: Any) -> Any:
        kept = without(part, named)
        return None if kept is GONE else kept

    kept = own(body, pruned) if own is not None else pruned(body)
    if kept is None and body is not None:
        return None
    return raw if kept == body else json.dumps(kept, separators=(",", ":")).encode()


def hint_of(names: Iterable[str]) -> Callable[[bytes], bool]:
    """Whether a body holds any of the names, in whatever JSON makes of it."""
    needles = {one.encode() for name in names for one in (name, json.dumps(name)[1:-1])}
    return lambda raw: any(one in raw for one in needles)
