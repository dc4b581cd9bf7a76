"""Reading JSON that may be anything: what is missing or of the wrong type counts as empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from relay.channels.text import clean
from relay.core.languages import Phrase, together


def record(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def records(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; of a single object, itself."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def first(value: Any) -> dict[str, Any]:
    """The first object of a list, or an empty one."""
    return next(records(value), {})


def joined(parts: Iterable[Any], separator: str = "\n") -> str:
    """The parts that hold text, in order. Of phrases the whole can be said in another language."""
    found = (part if isinstance(part, Phrase) else clean(part) for part in parts)
    return together((text for text in found if text and text.strip()), separator)


def joined_once(*parts: Any) -> str:
    """The same for a text and its caption, which are often equal."""
    return joined(dict.fromkeys(map(clean, parts)))


def without_none(value: dict[str, Any]) -> dict[str, Any]:
    """The object without its absent members."""
    return {key: item for key, item in value.items() if item is not None}
