"""Which texts show as nothing, and what a machine reads of those that show."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from relay.core.visible import as_word, trimmed, visible

UNSEEN = ["\u2060", "\u200b", "\u200e", "\u202e", "\ufeff", "\u3164", "\u115f", "\uffa0", "\u2800", "\u00ad", "\u034f",
          "\ufe0f", "\U000e0041", "\u180e", "\u061c", "\ufff9", "\x07", " ", "\u00a0", "\u3000"]  # fmt: skip


@pytest.mark.parametrize("sign", UNSEEN)
def test_what_shows_as_nothing_is_no_text(sign: str) -> None:
    assert visible(sign) == trimmed(sign) == visible(sign * 3) == ""
    assert trimmed(f"{sign}Ada") == "Ada"
    assert visible(f"a{sign}b") == "ab"


@pytest.mark.parametrize(
    "text", ["❤️", "👨‍👩‍👧", "🏴\U000e0067\U000e0062\U000e007f", "ا\u0600", "é", "ｱ", "1️⃣", "-", "\u0301"]
)
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert trimmed(f" \u2060{text} ") == text
    assert visible(text)


def test_no_letter_digit_or_symbol_of_unicode_is_taken_for_nothing() -> None:
    fillers = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"}
    shown = (chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] in "LNS")
    assert {sign for sign in shown if not visible(sign)} == fillers


@pytest.mark.parametrize(
    "text", ["/template", "／template", "\u2060/template\u200b", "/tem\u00adplate", " /ｔｅｍｐｌａｔｅ "]
)
def test_a_machine_reads_the_word_that_people_see(text: str) -> None:
    assert as_word(text) == "/template"


@pytest.mark.parametrize("text", ["\u2060" * 500_000, "a" + " " * 500_000 + "b", "\ufe0f" * 500_000])
def test_a_very_long_text_is_read_in_one_pass(text: str) -> None:
    """Read over and over it would take this test hours."""
    assert trimmed(text).strip() == text.strip("\u2060\ufe0f")
    assert len(as_word(text)) <= len(text)
