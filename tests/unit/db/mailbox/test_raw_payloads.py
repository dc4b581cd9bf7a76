"""Raw payloads in rows: what comes out is what went in, for as long as there are rows, and it is much smaller."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import relay.channels
from db.mailbox.raw_payloads import DICTIONARIES, packed, unpacked

FIXTURES = [Path(relay.channels.__file__).parent / one / "fixtures/messages.json" for one in ("whatsapp", "genesys")]
WRITTEN_WITH = {1: "211c"}
"""The beginning of the SHA-256 of each dictionary that rows were written with."""
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(some.characters(exclude_categories=[])),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(some.characters(exclude_categories=[])), inner),
)


def test_no_dictionary_changes_that_rows_were_written_with() -> None:
    """Or nobody could read them any more."""
    found = {number: hashlib.sha256(one).hexdigest() for number, one in DICTIONARIES.items()}
    assert {number: one[:4] for number, one in found.items()} == WRITTEN_WITH


@given(JSON)
def test_whatever_json_holds_comes_back(payload: Any) -> None:
    """Also NUL, lone surrogates and numbers of any length."""
    assert unpacked(packed(payload)) == payload


@pytest.mark.parametrize("fixtures", FIXTURES, ids=["whatsapp", "genesys"])
def test_what_providers_send_takes_a_third_at_most(fixtures: Path) -> None:
    named = ("message", "contact", "item")
    sent = [{name: one[name] for name in named if name in one} for one in json.loads(fixtures.read_text())]
    whole = sum(len(json.dumps(one, separators=(",", ":"))) for one in sent)
    assert sum(len(packed(one)) for one in sent) < whole / 3


def test_a_large_one_comes_back_whole() -> None:
    payload = {"text": {"body": "a long story " * 20_000}, "other": "x" * 300_000}
    assert unpacked(packed(payload)) == payload
    assert unpacked(memoryview(packed(payload))) == payload
