"""docs/guarantees.md and docs/testing.md name tests that exist; each promise has some, and its counts are counted."""

from __future__ import annotations

import re
from dataclasses import fields

from tests.chaos.verdict import Counts
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "guarantees.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
PROMISES = dict(re.findall(r"^## (G\d): .*?\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL))


def missing(named: list[tuple[str, str]]) -> list[str]:
    return [f"{file}::{test}" for file, test in named if f"\ndef {test}(" not in (ROOT / file).read_text()]


def test_every_named_test_exists() -> None:
    named = NAMED.findall(TEXT)
    assert named and not missing(named)


def test_every_kind_of_fault_that_the_field_found_names_its_tests() -> None:
    text = (ROOT / "docs" / "testing.md").read_text().partition("## Kinds of fault that the field found")[2]
    rows = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 11
    assert [row for row in rows if not NAMED.search(row)] == []
    assert missing([named for row in rows for named in NAMED.findall(row)]) == []


def test_every_promise_has_limits_a_keeper_and_a_test() -> None:
    assert sorted(PROMISES) == ["G1", "G2", "G3", "G4", "G5"]
    for promise, text in PROMISES.items():
        assert "| limit | |" in text and "Kept by: " in text and NAMED.search(text), promise


def test_every_broken_promise_that_is_counted_is_explained() -> None:
    counted = {one.name for one in fields(Counts)} - {"sent", "taken", "arrived"}
    told = {word.replace(" ", "_").replace(",", "") for word in re.findall(r"^\| ([\w ,]+) \|", TEXT, re.MULTILINE)}
    others = {"receipts_doubled_excused", "receipts_missing", "receipts_doubled"}
    assert counted - others <= told and {"receipt_missing", "receipt_doubled"} <= told
