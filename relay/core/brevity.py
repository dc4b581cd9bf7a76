"""A provider's item that is too large to keep whole: everything that tells what it was, without its long texts."""

from __future__ import annotations

from typing import Any

LONGEST = 1_000
"""Characters of a text in it."""


DEEPEST = 100
"""Levels that an item may have on its way; what writes JSON takes 254, and no provider nests more than ten."""


def shallow(value: Any, depth: int = DEEPEST) -> Any:
    """The same JSON without what is nested deeper than any message is."""
    if isinstance(value, dict):
        return {name: shallow(inner, depth - 1) for name, inner in value.items()} if depth else "…"
    if isinstance(value, list):
        return [shallow(inner, depth - 1) for inner in value] if depth else "…"
    return value


def brief(value: Any) -> Any:
    """The same JSON with its long texts cut, each saying how long it was. Raises RecursionError."""
    if isinstance(value, dict):
        return {brief(name): brief(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [brief(inner) for inner in value]
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}… ({len(value):,} characters)"
    return value
