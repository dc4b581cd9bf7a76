"""Cutting and cleaning text, redaction: properties that hold for any text."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.channels.http.redaction import LONGEST, redact
from relay.channels.text import clean, iso_time, pieces, unix_seconds
from relay.core.lengths import units
from relay.core.visible import blank
from tests.unit.relay.channels.accounts import BSUID, PHONE

ANY_TEXT = st.text(st.characters(codec=None), max_size=300)


@given(ANY_TEXT)
def test_cleaned_text_can_be_stored(text: str) -> None:
    cleaned = clean(text) or ""
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned


@given(ANY_TEXT.map(lambda text: clean(text) or ""), st.integers(8, 60))
def test_pieces_lose_nothing_but_space(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(0 < units(piece) <= limit for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert [pieces(piece, limit) for piece in found] == [[piece] for piece in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aaaa bbbb\n\ncccc dddd", ["aaaa bbbb", "cccc dddd"]),
        ("aaaa bbbb\ncccc dddd", ["aaaa bbbb", "cccc dddd"]),
        ("Aaaa bb. Cccc dddd", ["Aaaa bb.", "Cccc dddd"]),
        ("aaaaaaa bbbbbbbb", ["aaaaaaa", "bbbbbbbb"]),
        ("aaaaaaaaaaaaaaa", ["aaaaaaaaaaaa", "aaa"]),
        ("aaaaaaaaa👩\u200d👧b", ["aaaaaaaaa", "👩\u200d👧b"]),
        ("aaaaaaaaaa👍🏽b", ["aaaaaaaaaa", "👍🏽b"]),
        ("aaaaaaaaaa🇩🇪b", ["aaaaaaaaaa", "🇩🇪b"]),
        ("aaaaaaaaaaae\u0301b", ["aaaaaaaaaaa", "e\u0301b"]),
        ("aaaaaaaaaaa" + "\u0301" * 3, ["aaaaaaaaaa", "a" + "\u0301" * 3]),
    ],
)
def test_pieces_are_cut_where_it_hurts_least(text: str, expected: list[str]) -> None:
    assert pieces(text, 12) == expected


@pytest.mark.parametrize(
    "text", ["", " \t\n\u00a0\u3000", "\u200b\u200d\u2060\ufeff\u00ad", "\u200e\u202a\U000e0020", "\u2800\u3164"]
)
def test_nothing_to_be_seen(text: str) -> None:
    assert blank(text)
    assert not blank(f"{text}.") and not blank(f"\U0001f600{text}")


def test_a_long_text_is_not_counted_anew_for_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    def counting(text: str) -> int:
        counted.append(len(text))
        return units(text)

    monkeypatch.setattr("relay.channels.text.units", counting)
    assert len(pieces("word " * 4000, 100)) == 200
    assert sum(counted) < 2 * 20_000


def test_an_emoji_counts_as_two() -> None:
    assert [units(piece) for piece in pieces("😀" * 5, 4)] == [4, 4, 2]


def test_times() -> None:
    assert unix_seconds("2025-11-24T16:00:00.123Z") == 1764000000.123
    assert unix_seconds("2025-11-24T16:00:00") == 1764000000
    assert iso_time(1764000000.1239) == "2025-11-24T16:00:00.124Z"


@pytest.mark.parametrize("value", [True, "1", -1, "1200000000", "1970-01-01T00:00:01Z", "nan", "1e300", [], None])
def test_a_time_from_before_whatsapp_is_none(value: Any) -> None:
    before = time.time()
    assert before <= unix_seconds(value) <= time.time()


@pytest.mark.parametrize(
    "text",
    [
        f"Recipient +{PHONE} is not valid",
        f"to={PHONE}",
        "call +49 (151) 1234-5678 now",
        f"user {BSUID} unknown",
        "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjQ1",
        "Bearer EAAG-test-token-0123456789",
        "access_token=EAAG-test-token-0123456789&x=1",
        "https://lookaside.fbsbx.com/a?mid=4915112345678&hash=secret-hash",
        "mail ada.brandt@example.org",
        "token EAAGabcdefgh12345",
    ],
)
def test_redacted(text: str) -> None:
    shown = redact(text, ["EAAG-test-token-0123456789"])
    for secret in (PHONE, "1234-5678", "1349120", "HBgN", "EAAG", "secret-hash", "ada.brandt"):
        assert secret not in shown


@pytest.mark.parametrize(
    "text", ["(#131030) Recipient phone number not in allowed list", "Session has expired", "HTTP 503", "not.found"]
)
def test_left_alone(text: str) -> None:
    assert redact(text) == text


def test_a_long_text_is_cut() -> None:
    assert len(redact("x " * 1000)) == LONGEST
