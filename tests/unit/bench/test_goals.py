"""Medians of all rounds decide about a goal, and what was not measured is not judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import goals
from bench.__main__ import Wanted

SINGLE = {"limit inbound rate": [900.0, 1000.0, 5000.0], "relay inbound rate": [100.0, 399.0, 450.0]}


def test_a_goal_is_judged_by_medians() -> None:
    assert [line.split("  ")[0] for line in goals.lines(SINGLE)] == ["NOT MET"]
    assert [line.split("  ")[0].strip() for line in goals.lines(SINGLE | {"relay inbound rate": [400.0]})] == ["met"]


def test_the_document_names_every_goal_with_its_bound() -> None:
    told = (Path(__file__).parents[3] / "docs" / "performance.md").read_text()
    missing = [
        one.text
        for one in goals.GOALS
        if f"| {one.text} | {'at most' if one.at_most else 'at least'} {one.bound:g}{one.unit} |" not in told
    ]
    assert missing == []


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert goals.lines({}) == []


def test_the_rows_are_measured_only_where_somebody_says_how_many() -> None:
    assert "rows" not in Wanted.of({}).only
    assert "rows" in Wanted.of({"ROWS": "10"}).only
    with pytest.raises(SystemExit, match="ROWS="):
        Wanted.of({"ONLY": "rows"})


def test_an_unknown_measure_is_named_with_those_there_are() -> None:
    with pytest.raises(SystemExit, match=r"nothing.*limit, peer"):
        Wanted.of({"ONLY": "nothing"})
