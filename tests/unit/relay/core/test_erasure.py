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


def test_nesting_without_end_counts_as_naming() -> None:
    deep: Any = "x"
    for _ in range(erasure.DEPTH + 5):
        deep = {"a": deep}
    assert erasure.without(deep, PERSON.__contains__) is erasure.GONE
