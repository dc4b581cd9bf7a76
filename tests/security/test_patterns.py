"""No text that a stranger sends makes a regular expression of the product read it again and again."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.security.patterns import FROM_THE_BEGINNING, Found, every_pattern, hostile_texts

SHORT = 1_000
LONG = 16 * SHORT
FASTEST_GROWTH = 48
"""16 times the text takes 16 times the time, three times that on a machine with other work. Squared it were 256."""
TRIES = 3

FOUND = every_pattern()
# As they once stood here: each took seconds for a text of a hundred kilobytes.
KNOWN_BAD = (
    r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)",
    r"(https?://[^\s?#\"'<>]+)\?[^\s\"'<>]*",
    r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*",
    r"(?<![\w-])\+?\d(?:[ ().-]{0,2}\d){6,}(?![\w-])",
)


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.where)
def test_no_pattern_reads_a_long_text_again_and_again(found: Found) -> None:
    assert _slowest_growth(found) is None


@pytest.mark.parametrize("source", KNOWN_BAD)
def test_a_pattern_that_does_is_found_out(source: str) -> None:
    assert _slowest_growth(Found("here", re.compile(source, re.IGNORECASE), frozenset({"sub"}))) is not None


def test_patterns_of_all_kinds_are_among_those_tried() -> None:
    places = {found.where.partition(":")[0] for found in FOUND}
    for place in (
        "relay.core.redaction._SECRETS",
        "relay.core.redaction._URL",
        "web.portal.lines",
        "relay.core.conversation.window",
    ):
        assert any(one.startswith(place) for one in places), place


def _slowest_growth(found: Found) -> str | None:
    """What grew too fast, in words. None: nothing did."""
    shorts, longs = (hostile_texts(found.pattern, length) for length in (SHORT, LONG))
    for short, long in zip(shorts, longs, strict=True):
        for way in _ways(found):
            growth = _growth(found.pattern, way, short, long)
            if growth > FASTEST_GROWTH:
                return f"{way} took {growth:.0f} times as long for 16 times {short[:40]!r}...{short[-5:]!r}"
    return None


def _ways(found: Found) -> list[str]:
    """From the beginning only, where the product reads so; else through the whole text."""
    return sorted(found.ways) if found.ways and found.ways <= FROM_THE_BEGINNING else ["finditer"]


def _growth(pattern: re.Pattern[Any], way: str, short: str | bytes, long: str | bytes) -> float:
    """How many times longer the long text takes: the best of some tries, so that only the pattern's own work counts."""
    least, most, growth = float("inf"), float("inf"), 0.0
    for _ in range(TRIES):
        least = min(least, _seconds(pattern, way, short))
        most = min(most, _seconds(pattern, way, long))
        # Time enough to be measured: a pattern that ends at once takes as long as the clock does.
        growth = most / max(least, _FLOOR)
        if growth <= FASTEST_GROWTH:
            break
    return growth


def _seconds(pattern: re.Pattern[Any], way: str, text: str | bytes) -> float:
    began = time.process_time()
    if way == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, way)(text)
    return time.process_time() - began


_FLOOR = min(_seconds(re.compile(r"[^\x00]"), "finditer", "a" * (SHORT // 5)) for _ in range(TRIES))
"""What a fifth of the short text takes when each of its letters is found on its own."""
