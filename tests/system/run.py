"""`make test` after the linters: tests in lanes side by side, then the fault tests that each commit has to withstand.

A module of which a test failed runs once more at the end, with the machine to itself. Beside four others a machine may
stand still for longer than any wait of a test; what fails twice is a fault. What held the second time only is named in
the summary, for it is one as well: of the test, or a race of the product that nobody has found yet.

All fault tests are `make outages`, and parts that fail by chance, for as long as one likes, `make faults`. The first
lane's output appears as it comes, that of the others when it is over.
Arguments go to every pytest (`-x`, `--durations=20`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TypeAlias
from xml.etree import ElementTree

from tests.system import coverage, lanes

TESTS = Path(__file__).parents[1]
LANES = min((os.cpu_count() or 1) + 2, 4)
"""Two more than there are processors: about half of the time a lane waits for what it has started."""
ALONE = "faults"
"""With the machine to itself, and only what is marked for each commit."""
NOT_HERE = ("chaos", "scale")
"""Targets of their own."""
COVERED = os.environ.get("COVERED") == "1"
"""`make coverage`: counting lines takes a fifth of all that the lanes do."""
COVERAGE = TESTS.parent / "build" / "coverage.json"
AGAIN = "again"
AT_MOST_AGAIN = 3
"""Modules. Where more fail, it is not the machine."""
WORDS = {"failure": "failed", "error": "error", "skipped": "skipped"}
TROUBLE = ("failed", "error")
Outcomes: TypeAlias = dict[tuple[str, str], str]
"""By module and name of the test."""
SOME_FAILED = 1
"""pytest's code where tests failed, and nothing else was wrong."""
NOTHING_LEFT = 5
"""The same where no test was run: the others were quicker."""


def main(arguments: list[str]) -> int:
    """0 when all passed, else 1. The last line is the summary of all in pytest's own form, coverage before it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        codes = _side_by_side(arguments, reports)
        chosen = ["-m", "each_commit", str(TESTS / ALONE)]
        # These run processes, which are not measured.
        codes.append(_start("alone", [sys.executable], [*arguments, *chosen], reports).wait())
        first = outcomes(reports)
        modules = sorted({module for (module, _), outcome in first.items() if outcome in TROUBLE})
        if set(codes) <= {0, SOME_FAILED} and 0 < len(modules) <= AT_MOST_AGAIN:
            codes = [_start(AGAIN, [sys.executable], [*arguments, *modules], reports).wait()]
        if COVERED:
            print(coverage.summary(reports.glob("*.json"), COVERAGE))
        print(summary(first, outcomes(reports), time.monotonic() - started), flush=True)
    return 1 if any(codes) else 0


def _side_by_side(arguments: list[str], reports: Path) -> list[int]:
    """The code of each lane, 0 where it found nothing left to run."""
    left_out = [f"--ignore={TESTS / name}" for name in (ALONE, *NOT_HERE)]
    what = ["-p", "tests.system.lanes", *arguments, *left_out, str(TESTS)]
    taken = reports / "taken"
    taken.mkdir()
    with ExitStack() as kept:
        outputs = [None, *(kept.enter_context(tempfile.TemporaryFile("w+")) for _ in range(LANES - 1))]
        running = [
            _start(
                f"lane-{number}",
                coverage.measured(reports / f"lane-{number}.json") if COVERED else [sys.executable],
                what,
                reports,
                lanes.environment(number, LANES, taken),
                output,
            )
            for number, output in enumerate(outputs, 1)
        ]
        codes = [lane.wait() for lane in running]
        for output in filter(None, outputs):
            output.seek(0)
            sys.stdout.writelines(output)
    return [0 if code == NOTHING_LEFT else code for code in codes]


def _start(
    name: str,
    python: Sequence[str],
    arguments: Sequence[str],
    reports: Path,
    env: Mapping[str, str] | None = None,
    output: IO[str] | None = None,
) -> subprocess.Popen[bytes]:
    print(f"\n== {name}", file=output or sys.stdout, flush=True)
    command = [*python, "-m", "pytest", f"--junitxml={reports / name}.xml", *arguments]
    errors = subprocess.STDOUT if output else None
    return subprocess.Popen(command, env={**os.environ, **(env or {})}, stdout=output, stderr=errors)


def outcomes(reports: Path) -> Outcomes:
    """What became of each test; of one that ran twice, the second time."""
    last: Outcomes = {}
    for report in sorted(reports.glob("*.xml"), key=lambda path: path.stem == AGAIN):
        here: Outcomes = {}
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
            outcome = next((word for tag, word in WORDS.items() if case.find(tag) is not None), "passed")
            key = f"{case.get('classname', '').replace('.', '/')}.py", case.get("name", "")
            if here.get(key) not in TROUBLE:  # one that passed may still have trouble in its teardown
                here[key] = outcome
        last |= here
    return last


def summary(first: Outcomes, last: Outcomes, seconds: float) -> str:
    """Every test that did not pass, and every one that did not at once, by name; then the counts."""
    lines = [""]
    for (module, name), outcome in last.items():
        if outcome in TROUBLE:
            lines.append(f"{outcome.upper()} {module}::{name}")
        elif first[module, name] in TROUBLE:
            lines.append(f"ONLY THE SECOND TIME {module}::{name}")
    counts = Counter(last.values())
    told = ", ".join(f"{counts[word]} {word}" for word in (*WORDS.values(), "passed") if counts[word])
    lines.append(f"===== {told or 'no tests ran'} in {seconds:.2f}s =====")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
