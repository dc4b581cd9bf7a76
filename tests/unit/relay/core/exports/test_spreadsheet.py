"""A table of what people have written, opened by a spreadsheet that computes what looks like a formula."""

from __future__ import annotations

import csv
import io
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
    [shown, empty] = read([text, None])[1]
    assert shown.startswith("'") and shown.replace("'", "") == text and empty == ""


@pytest.mark.parametrize("text", ["Hello", "1 + 1 = 2", 'He said "yes",\nand left', "ü €", ";", "a@b.example"])
def test_all_else_comes_back_as_it_was(text: str) -> None:
    assert read([text, "next"])[1] == [text, "next"]


@pytest.mark.parametrize("parted", [";", "\t"])
def test_nothing_is_computed_where_cells_are_parted_otherwise(parted: str) -> None:
    text = "".join(spreadsheet.table(("a", "b"), [["hi;=1+1", "list\n- one\t@SUM(A1)\r\n =2"]]))
    cells = [cell for row in csv.reader(io.StringIO(text), delimiter=parted) for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@"))]


def test_times_are_in_utc_and_numbers_are_numbers() -> None:
    at = datetime(2026, 11, 30, 23, 30, tzinfo=timezone(timedelta(hours=2)))
    assert read([at, True], [-3, None])[1:] == [["2026-11-30T21:30:00+00:00", "yes"], ["-3", ""]]
