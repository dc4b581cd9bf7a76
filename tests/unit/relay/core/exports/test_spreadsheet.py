"""A table of what people have written, opened by a spreadsheet that computes what looks like a formula."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta, timezone

import pytest

from relay.core.exports import spreadsheet
from relay.core.exports.spreadsheet import BOM, Cell


def read(*rows: list[Cell]) -> list[list[str]]:
    text = "".join(spreadsheet.table(("a", "b"), rows))
    assert text.startswith(BOM)
    return list(csv.reader(text.removeprefix(BOM).splitlines(keepends=True)))


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://a.example")',
        "+49 1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\uff1d1",
        "\uff20a",
    ],
)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(text: str) -> None:
    assert read([text, None])[1] == [f"'{text}", ""]


@pytest.mark.parametrize("text", ["Hello", "1 + 1 = 2", 'He said "yes",\nand left', "ü €", ";", "a@b.example"])
def test_all_else_comes_back_as_it_was(text: str) -> None:
    assert read([text, "next"])[1] == [text, "next"]


def test_times_are_in_utc_and_numbers_are_numbers() -> None:
    at = datetime(2026, 11, 30, 23, 30, tzinfo=timezone(timedelta(hours=2)))
    assert read([at, True], [-3, None])[1:] == [["2026-11-30T21:30:00+00:00", "yes"], ["-3", ""]]
