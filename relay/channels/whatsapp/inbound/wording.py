"""Reading text out of JSON that nobody has described: bounded in depth and number, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from relay.channels.reading import joined
from relay.channels.text import clean

LONGEST_KIND = 64
LONGEST_ID = 512
"""Of an id: Meta's have about 100 characters, and what is much longer fits into no index."""
_DEPTH = 4
_MOST = 40
_TELLING = ("title", "header", "name", "body", "text", "caption", "description", "footer", "url", "link", "code")


def identifier(value: Any) -> str | None:
    """An id as the provider gives it; what is too long for one is none."""
    found = clean(value)
    return found if found and len(found) <= LONGEST_ID else None


def words(value: Any) -> list[str]:
    """What is written under the names that texts usually have."""
    return list(dict.fromkeys(islice(_words(value, _DEPTH), _MOST)))


def _words(value: Any, depth: int) -> Iterator[str]:
    if depth < 0:
        return
    if isinstance(value, list):
        for inner in value[:_MOST]:
            yield from _words(inner, depth - 1)
    elif isinstance(value, dict):
        for name in sorted(value, key=_rank)[:_MOST]:
            inner = value[name]
            if isinstance(inner, (dict, list)):
                yield from _words(inner, depth - 1)
            elif (name in _TELLING or depth == _DEPTH) and isinstance(inner, str) and (said := clean(inner)):
                yield said


def _rank(name: str) -> int:
    return _TELLING.index(name) if name in _TELLING else len(_TELLING)


def plain(value: Any, depth: int = 3) -> str:
    """A value of a form as a person would write it: lists with commas, objects by their members."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return joined((plain(inner, depth - 1) for inner in value[:_MOST]), ", ") if depth else "…"
    if isinstance(value, dict):
        return _file(value) or (joined(_members(value, depth), ", ") if depth else "…")
    return clean(value) or ""


def _members(value: dict[str, Any], depth: int) -> Iterator[str]:
    for name, inner in islice(value.items(), _MOST):
        if shown := plain(inner, depth - 1):
            yield f"{name}: {shown}"


def _file(value: dict[str, Any]) -> str | None:
    """A file chosen in a form comes with hashes and keys that say nothing to anybody."""
    return clean(value.get("file_name")) if "sha256" in value or "cdn_url" in value else None
