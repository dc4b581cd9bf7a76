"""Reading text out of JSON that nobody has described: bounded in depth and number, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from relay.channels.http.reading import joined
from relay.channels.text import clean
from relay.core.languages import phrase, together

LONGEST_KIND = 64
LONGEST_ID = 512
"""Of an id: Meta's have about 100 characters, and what is much longer fits into no index."""
_DEPTH = 4
_MOST = 40
_TELLING = (
    "title", "header", "name", "question", "body", "text", "caption", "description", "footer", "url", "link", "code",
)  # fmt: skip
_SILENT = ("id", "from", "from_user_id", "from_parent_user_id", "to", "timestamp", "type", "mime_type", "sha256")
"""What is no word of anybody's."""


def identifier(value: Any) -> str | None:
    """An id as the provider gives it; what is too long for one is none."""
    found = clean(value)
    return found if found and len(found) <= LONGEST_ID else None


def words(item: Any) -> list[str]:
    """What is written in an item; deeper in it, what stands under the names that texts usually have."""
    return list(dict.fromkeys(islice(_words(item, _DEPTH), _MOST)))


def _words(value: Any, depth: int, name: str = "", within: int = 0) -> Iterator[str]:
    """`within` so many objects: the first is the item itself."""
    if isinstance(value, str):
        if said := _said(name, value, own=within <= 1):
            yield said
    elif isinstance(value, list) and depth:
        for inner in value[:_MOST]:
            yield from _words(inner, depth - 1, name if name in _TELLING else "", within)
    elif isinstance(value, dict) and depth:
        for key in sorted(value, key=_rank)[:_MOST]:
            yield from _words(value[key], depth - 1, key, within + 1)


def _said(name: str, value: str, *, own: bool) -> str | None:
    """A text as it is; what else the item itself says, such as the id of a product, by its name."""
    if name in _TELLING or (own and not name):
        return clean(value)
    label, found = clean(name[:LONGEST_KIND]), identifier(value)
    return f"{label.replace('_', ' ')}: {found}" if own and label and found and name not in _SILENT else None


def _rank(name: str) -> int:
    return _TELLING.index(name) if name in _TELLING else len(_TELLING)


def plain(value: Any, depth: int = 3) -> str:
    """A value of a form as a person would write it: lists with commas, objects by their members."""
    if isinstance(value, bool):
        return phrase("yes") if value else phrase("no")
    if isinstance(value, list):
        return joined((plain(inner, depth - 1) for inner in value[:_MOST]), ", ") if depth else "…"
    if isinstance(value, dict):
        return _file(value) or (joined(_members(value, depth), ", ") if depth else "…")
    return clean(value) or ""


def _members(value: dict[str, Any], depth: int) -> Iterator[str]:
    for name, inner in islice(value.items(), _MOST):
        if shown := plain(inner, depth - 1):
            yield together((name, shown), ": ")


def _file(value: dict[str, Any]) -> str | None:
    """A file chosen in a form comes with hashes and keys that say nothing to anybody."""
    return clean(value.get("file_name")) if "sha256" in value or "cdn_url" in value else None
