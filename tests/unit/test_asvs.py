"""docs/security.md answers for every requirement of OWASP ASVS 5.0.0 of the levels 1 and 2, once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEADING = "## OWASP ASVS 5.0.0, level 2"
STATES = ("met", "not applicable", "not met")
ROW = re.compile(r"^\| (\d[\d., to]*) \| ([a-z ]+) \| (.+) \|$", re.MULTILINE)
# How many requirements of each chapter's sections, in their order, belong to the levels 1 and 2. Within a section they
# come first.
HELD = {
    1: (2, 9, 11, 3, 2),
    2: (3, 3, 4, 1),
    3: (0, 2, 4, 6, 5, 0, 2),
    4: (3, 1, 2, 4),
    5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4),
    7: (3, 4, 2, 5, 2, 2),
    8: (2, 3, 1, 1),
    9: (3, 4),
    10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1, 0),
    12: (3, 2, 4),
    13: (1, 5, 2, 5),
    14: (2, 4, 3),
    15: (3, 3, 7, 0),
    16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}


def _rows() -> list[tuple[str, str, str]]:
    document = (ROOT / "docs" / "security.md").read_text()
    table = document.partition(HEADING)[2].partition("\n## ")[0]
    assert table
    return ROW.findall(table)


def _numbers(cell: str) -> list[str]:
    """ "1.2.6 to 1.2.8, 1.3.1" names four."""
    found = []
    for part in cell.split(", "):
        first, _, last = part.partition(" to ")
        section, _, begin = first.rpartition(".")
        assert not last or last.rpartition(".")[0] == section, part
        found += [f"{section}.{n}" for n in range(int(begin), int(last.rpartition(".")[2] or begin) + 1)]
    return found


def test_every_requirement_is_answered_once() -> None:
    asked = {
        f"{chapter}.{section}.{n}"
        for chapter, counts in HELD.items()
        for section, count in enumerate(counts, 1)
        for n in range(1, count + 1)
    }
    answered = Counter(number for cell, _, _ in _rows() for number in _numbers(cell))
    assert set(answered) == asked
    assert [number for number, times in answered.items() if times > 1] == []


def test_every_answer_is_one_of_three_with_its_reason() -> None:
    for cell, state, reason in _rows():
        assert state in STATES, cell
        assert len(reason) > 5, cell


def test_what_is_met_names_what_holds_it() -> None:
    """A test or a file for most; the rest is what there is none of, said in words."""
    met = [reason for _, state, reason in _rows() if state == "met"]
    named = [reason for reason in met if "`" in reason or "](" in reason]
    assert len(named) > 0.75 * len(met)
