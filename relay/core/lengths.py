"""Lengths in UTF-16 units: never less than what a provider counts, whichever way it counts."""

from __future__ import annotations


def units(text: str) -> int:
    """How many units the text has."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitting(text: str, limit: int) -> int:
    """How many of its characters fit into `limit` units."""
    if text.isascii():
        return limit
    return len(text.encode("utf-16-le", "surrogatepass")[: limit * 2].decode("utf-16-le", "ignore"))
