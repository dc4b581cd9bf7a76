"""JSON without what names a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.core import erasure

PERSON = frozenset(erasure.spellings("4915199887766"))


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"messages": [{"from": "4915199887766"}, {"from": "491"}]}, {"messages": [{"from": "491"}]}),
        ({"contacts": [{"wa_id": "+4915199887766"}], "a": 1}, {"contacts": [], "a": 1}),
        ({"to": ["4915199887766"], "text": "x"}, erasure.GONE),
        ({"channel": {"to": {"id": "4915199887766"}}, "text": "x"}, erasure.GONE),
        ({"by": {"4915199887766": 1}}, erasure.GONE),
        ([{"text": "call 4915199887766"}], [{"text": "call 4915199887766"}]),
        ({"entry": [{"changes": [{"value": {"sender": "4915199887766"}}, {"value": 1}]}]},
         {"entry": [{"changes": [{"value": 1}]}]}),
    ],
)  # fmt: skip
def test_the_smallest_parts_that_name_the_person_go(body: Any, left: Any) -> None:
    assert erasure.without(body, PERSON.__contains__) == left


def test_what_names_nobody_stays_byte_for_byte() -> None:
    raw = b'{ "from":"491" }'
    hint = erasure.hint_of(PERSON)
    assert erasure.without_in_text(raw, PERSON.__contains__, hint) is raw
    assert erasure.without_in_text(b"4915199887766, not JSON", PERSON.__contains__, hint) is None
    told = json.dumps([{"from": "4915199887766"}, 1]).encode()
    assert erasure.without_in_text(told, PERSON.__contains__, hint) == b"[1]"


def test_of_what_nests_too_deep_all_stays_or_nothing() -> None:
    for inside, left in (("x", True), ("4915199887766", False)):
        deep: Any = inside
        for _ in range(erasure.DEPTH + 5):
            deep = {"a": deep}
        assert (erasure.without(deep, PERSON.__contains__) is not erasure.GONE) == left


@pytest.mark.parametrize(
    ("raw", "stays"),
    [
        (b"<html>4915199887766</html>", False),
        (b"{to: +4915199887766.", False),
        (b"\xff\x18\x0d4915199887766\x15\x02", False),
        (b"149151998877660 is somebody else's", True),
        (b"<html>Bad gateway</html>", True),
        (b"[" * 100_000, True),
        (b" ".join(b"word-%d" % n for n in range(erasure.MOST_WORDS + 1)), False),
    ],
)
def test_what_cannot_be_read_goes_only_where_a_word_of_it_is_the_person(raw: bytes, stays: bool) -> None:
    kept = erasure.without_in_text(raw, PERSON.__contains__, lambda _: True)
    assert kept == (raw if stays else None)


def test_few_digits_are_nobody_to_be_erased() -> None:
    assert erasure.sought("+49 151 99887766") == "4915199887766"
    assert erasure.sought(" DE.7788990011223344 ") == "DE.7788990011223344"
    for given, why in (("49151", "7 digits or more"), ("x", "phone number"), ("0151 99887766", "country code")):
        with pytest.raises(ValueError, match=why):
            erasure.sought(given)
