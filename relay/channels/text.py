"""Text as both channels handle it: cleaned at parse, cut at good places, times read and written."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from relay.core.lengths import fitting, units

_BREAKS = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?…。！？])\s+", r"\s+"))
_JOINERS = "\u200d\ufe0e\ufe0f"


def clean(value: Any) -> str | None:
    """A text PostgreSQL and every provider take: no NUL, no lone surrogate; absent when empty.

    Numbers become text, since providers are not strict about it; anything else is absent.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value).replace("\x00", "")
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text or None


def pieces(text: str, limit: int) -> list[str]:
    """The text in parts of at most `limit`, cut at a paragraph, line, sentence or word if possible."""
    found = []
    while units(text) > limit:
        end = _cut(text, limit)
        found.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [piece for piece in (*found, text) if piece.strip()]


def _cut(text: str, limit: int) -> int:
    """Where to cut: the last break of the best kind in the second half of what fits."""
    fits = fitting(text, limit)
    window = text[: fits + 1]
    for pattern in _BREAKS:
        places = [match.start() for match in pattern.finditer(window) if fits // 2 < match.start() <= fits]
        if places:
            return places[-1]
    return _whole(text, fits)


def _whole(text: str, end: int) -> int:
    """Step back so that no joined emoji is torn apart; give up after a few steps."""
    for place in range(end, max(end - 16, 1), -1):
        if text[place] not in _JOINERS and text[place - 1] not in _JOINERS:
            return place
    return end


def unix_seconds(value: Any) -> float:
    """A provider's time as Unix seconds: digits, milliseconds, or ISO 8601.

    What cannot be read becomes now, so that the arrival decides the order.
    """
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = _iso_seconds(value)
    if seconds > 100_000_000_000:
        seconds /= 1000
    return seconds if 0 < seconds < 100_000_000_000 else time.time()


def _iso_seconds(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0


def iso_time(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds, as Genesys wants it."""
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
