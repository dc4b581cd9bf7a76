"""Bodies are read as forgivingly as can be, and whatever comes is harmless afterwards."""

from __future__ import annotations

import json
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.webhooks.budget import LARGE_BYTES, MOST_OBJECTS, MOST_VALUES, Budget, OverBudget
from web.webhooks.proof import refs_named
from web.webhooks.reading import Unreadable, cleaned, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(JSON)
def test_all_json_is_read_into_what_can_be_written_again(value: object) -> None:
    orjson.dumps(read(json.dumps(value).encode(), Budget()))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_unreadable(raw: bytes) -> None:
    with suppress(Unreadable):
        read(raw, Budget())
    refs_named("whatsapp", raw)
    refs_named("genesys", raw)


@pytest.mark.parametrize("raw", [b"", b'{"a": ', b"[" * 10_000, b"\xff", b"{'a': 1}", b"x" * (LARGE_BYTES + 1)])
def test_what_is_no_json_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(raw, Budget())


def test_nul_and_lone_surrogates_are_replaced() -> None:
    assert cleaned({"a\x00": ["\ud83d", 1, None, {"b": "\U0001f600"}]}) == {"a�": ["�", 1, None, {"b": "\U0001f600"}]}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (rb"\u0000", "�"),
        (rb"\ud83d", "�"),
        (rb"\ude00\ud83d", "��"),
        (rb"\uD83D\uDE00 \u0000", "\U0001f600 �"),
        (rb"\\u0000 \u0000", "\\u0000 �"),
        (rb"\\\u0000", "\\�"),
        (rb"\"\ud83d", '"�'),
    ],
)
def test_only_what_cannot_be_stored_is_replaced(written: bytes, text: str) -> None:
    assert read(b'["' + written + b'"]', Budget()) == [text]


def test_what_only_a_forgiving_parser_takes_is_read_while_it_is_small() -> None:
    assert read(b"[NaN, 1]", Budget()) == [None, 1]
    assert read("\ufeff[1]".encode(), Budget()) == [1]
    assert read("[1]".encode("utf-16"), Budget()) == [1]


@pytest.mark.parametrize("raw", [b"[" + b"{}," * MOST_OBJECTS + b"{}]", b"[" + b"1," * MOST_VALUES + b"1, 1]"])
def test_what_holds_too_much_is_not_parsed(raw: bytes) -> None:
    with pytest.raises(OverBudget):
        read(raw, Budget())
