"""docs/guarantees.md names tests: they exist, each promise has some, and the words for its counts are those counted."""

from __future__ import annotations

import re
from dataclasses import fields

from tests.chaos.verdict import Counts
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "guarantees.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
PROMISES = dict(re.findall(r"^## (G\d): .*?\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL))


def test_every_named_test_exists() -> None:
    named = NAMED.findall(TEXT)
    missing = [f"{file}::{test}" for file, test in named if f"\ndef {test}(" not in (ROOT / file).read_text()]
    assert named and not missing


def test_every_promise_has_limits_a_keeper_and_a_test() -> None:
    assert sorted(PROMISES) == ["G1", "G2", "G3", "G4", "G5"]
    for promise, text in PROMISES.items():
        assert "| limit | |" in text and "Kept by: " in text and NAMED.search(text), promise


def test_every_broken_promise_that_is_counted_is_explained() -> None:
    counted = {one.name for one in fields(Counts)} - {"sent", "taken", "arrived"}
    told = {word.replace(" ", "_").replace(",", "") for word in re.findall(r"^\| ([\w ,]+) \|", TEXT, re.MULTILINE)}
    others = {"receipts_doubled_excused", "receipts_missing", "receipts_doubled"}
    assert counted - others <= told and {"receipt_missing", "receipt_doubled"} <= told
