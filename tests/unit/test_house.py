"""docs/architecture.md: the drawing of the house is what the imports are, and the way of a message is short."""

from __future__ import annotations

import re
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PACKAGES = ("conf", "db", "demo", "relay", "sandbox", "web")
TEXT = (ROOT / "docs" / "architecture.md").read_text()
MOST_FILES = 16
ARROW = re.compile(r"^ +(\S+) --> (\S+)$", re.MULTILINE)
STEP = re.compile(r"^\| (\d+) \| `([^`]+)` \| (.+) \|$", re.MULTILINE)

Arrows = set[tuple[str, str]]


def _room(module: str) -> str:
    """`relay.core.lane` is in relay/core; of the others each package is one room."""
    first, *rest = module.split(".")
    return f"relay/{rest[0]}" if first == "relay" and rest else first


def _imports() -> Arrows:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    found = {
        (_room(one), _room(other)) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)
    }
    return {(one, other) for one, other in found if one != other}


def _reached(arrows: Arrows, room: str) -> set[str]:
    found: set[str] = set()
    ahead = [room]
    while ahead:
        nearest = {other for one, other in arrows if one == ahead[-1]} - found
        ahead.pop()
        found |= nearest
        ahead += nearest
    return found


DRAWN: Arrows = set(ARROW.findall(TEXT))


def test_every_import_runs_along_the_arrows_of_the_drawing() -> None:
    reached = {room: _reached(DRAWN, room) for room, _ in _imports()}
    assert [arrow for arrow in sorted(_imports()) if arrow[1] not in reached[arrow[0]]] == []


def test_every_arrow_of_the_drawing_is_an_import_and_none_says_what_others_say() -> None:
    assert DRAWN - _imports() == set()
    assert [arrow for arrow in sorted(DRAWN) if arrow[1] in _reached(DRAWN - {arrow}, arrow[0])] == []


def test_no_arrow_leads_back() -> None:
    assert [room for room, _ in sorted(DRAWN) if room in _reached(DRAWN, room)] == []


def test_the_way_of_a_message_is_told_in_few_files_and_none_comes_twice() -> None:
    steps = STEP.findall(TEXT)
    files = [file for _, file, _ in steps]
    assert [int(number) for number, _, _ in steps] == list(range(1, len(steps) + 1))
    assert 0 < len(files) <= MOST_FILES
    assert len(set(files)) == len(files)
    assert all((ROOT / file).is_file() for file in files)
    assert all(". " not in told for _, _, told in steps), "one sentence each"


def test_unit_tests_lie_where_their_modules_lie() -> None:
    """What is about the repository as a whole lies in `tests/unit` itself."""
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("*.py")}
    assert [str(one) for one in sorted(folders) if not (ROOT / one).is_dir()] == []
