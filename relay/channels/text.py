"""Text as both channels handle it: cleaned at parse, cut at good places, times read and written."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from relay.core.lengths import fitting, units, whole

_BREAKS = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?…。！？])\s+", r"\s+"))
_WORD = re.compile(r"\S")

BEGINNING = 1_230_768_000.0
"""The year 2009, when WhatsApp was founded: nothing that is told here is older (Unix seconds)."""


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
    found, start = [], 0
    # Looked at piece by piece: a text may be very long. One character more than fits at most tells where to cut.
    while units(ahead := text[start : start + limit + 1]) > limit:
        end = _cut(ahead, limit)
        found.append(ahead[:end].rstrip())
        start = _next_word(text, start + end)
    return [piece for piece in (*found, ahead) if piece.strip()]


def _next_word(text: str, start: int) -> int:
    found = _WORD.search(text, start)
    return found.start() if found else len(text)


def _cut(text: str, limit: int) -> int:
    """Where to cut: the last break of the best kind in the second half of what fits."""
    fits = fitting(text, limit)
    window = text[: fits + 1]
    for pattern in _BREAKS:
        places = [match.start() for match in pattern.finditer(window) if fits // 2 < match.start() <= fits]
        if places:
            return places[-1]
    return whole(text, fits)


def unix_seconds(value: Any) -> float:
    """A provider's time as Unix seconds: digits, milliseconds, or ISO 8601.

    What cannot be read becomes now, so that the arrival decides the order; likewise what is older than any of this.
    """
    try:
        seconds = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = _iso_seconds(value)
    if seconds > 100_000_000_000:
        seconds /= 1000
    return seconds if BEGINNING <= seconds < 100_000_000_000 else time.time()


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
