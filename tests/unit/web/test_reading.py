"""Bodies are read as forgivingly as can be, and whatever comes is harmless afterwards."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.webhooks.reading import REFS_GUESSED, UNREADABLE, cleaned, guessed_refs, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(JSON)
def test_all_json_is_read_into_what_can_be_written_again(value: object) -> None:
    found = read(json.dumps(value).encode())
    assert found is not UNREADABLE
    orjson.dumps(found)


@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: bytes) -> None:
    read(raw)
    guessed_refs("whatsapp", raw)
    guessed_refs("genesys", raw)


@pytest.mark.parametrize("raw", [b"", b'{"a": ', b"[" * 100_000, b"\xff", b"{'a': 1}"])
def test_what_is_no_json_is_unreadable(raw: bytes) -> None:
    assert read(raw) is UNREADABLE


def test_nul_and_lone_surrogates_are_replaced() -> None:
    assert cleaned({"a\x00": ["\ud83d", 1, None, {"b": "\U0001f600"}]}) == {"a�": ["�", 1, None, {"b": "\U0001f600"}]}


def test_lines_are_guessed_from_a_truncated_body() -> None:
    raw = (
        b'{"entry":[{"changes":[{"value":{"metadata":{"phone_number_id" : "123"}}}]},{"metadata":{"phone_number_id":"45'
    )
    assert guessed_refs("whatsapp", raw) == ["123"]
    many = b"".join(b'"phone_number_id":"%d",' % n for n in range(100))
    assert len(guessed_refs("whatsapp", many)) == REFS_GUESSED
    integration = "8b2ba3a5-1111-4444-8888-0123456789ab"
    assert guessed_refs("genesys", b'{"id":"abc","channel":{"id":"%s"' % integration.encode()) == [integration]
