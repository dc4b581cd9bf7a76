"""Lanes side by side: each test is run by one of them, and each module by one lane in one go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.system import lanes
from tests.waiting import PATIENCE

LANES = 2
MODULES = 7
MODULE = """
import pytest, sys, time

@pytest.fixture(scope="session", params=["a", "b"])
def everywhere(request):
    return request.param

@pytest.mark.parametrize("n", range(3))
def test_each(n, everywhere, record_property):
    time.sleep(0.02)
    with open({log!r}, "a") as log:
        print("{name}", everywhere, n, {lane}, file=log, flush=True)

def test_alone():
    with open({log!r}, "a") as log:
        print("{name}", "alone", "-", {lane}, file=log, flush=True)
"""


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """A file that gets a line per test: its module, its parameters, its lane."""
    log = tmp_path / "ran"
    log.touch()
    (tmp_path / "tests").mkdir()
    for number in range(MODULES):
        text = MODULE.format(log=str(log), name=f"module-{number}", lane=f"__import__('os').environ[{lanes.LANE!r}][0]")
        (tmp_path / "tests" / f"test_module_{number}.py").write_text(text)
    return log


def run(folder: Path) -> Sequence[int]:
    taken = folder / "taken"
    taken.mkdir()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.system.lanes", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, f"--rootdir={folder}", str(folder / "tests")]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env=os.environ | lanes.environment(n, LANES, taken), stdout=subprocess.DEVNULL
        )
        for n in range(1, LANES + 1)
    ]
    return [one.wait(PATIENCE) for one in started]


def test_each_test_is_run_once_and_a_module_by_one_lane(ran: Path, tmp_path: Path) -> None:
    assert set(run(tmp_path)) <= {0, 5}  # 5: the others were quicker, and left it nothing
    lines = [line.split() for line in ran.read_text().splitlines()]
    tests = [tuple(line[:3]) for line in lines]
    expected = {(f"module-{m}", *rest) for m in range(MODULES) for rest in [("alone", "-"), *_parameters()]}
    assert sorted(tests) == sorted(expected)
    assert len({(module, lane) for module, _, _, lane in lines}) == MODULES


def test_a_failure_is_told_by_its_lane(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "tests" / "test_broken.py").write_text("def test_broken():\n    assert False\n")
    codes = run(tmp_path)
    assert codes.count(1) == 1
    assert set(codes) <= {0, 1, 5}


def test_a_module_that_cannot_be_read_stops_all_lanes(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "tests" / "test_broken.py").write_text("import no_such_module\n")
    assert set(run(tmp_path)) == {2}
    assert ran.read_text() == ""


def _parameters() -> list[tuple[str, str]]:
    return [(letter, str(n)) for letter in "ab" for n in range(3)]
