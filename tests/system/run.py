"""`make test` after the linters: two halves side by side, then the fault tests that each commit has to withstand.

All fault tests are `make faults`. The second half's output appears when the first is over. Arguments go to every pytest
(`-x`, `--durations=20`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from tests.system import coverage

TESTS = Path(__file__).parents[1]
HALVES = (("unit", "contract", "integration", "flow"), ("api", "portal", "content", "security"))
ALONE = ("faults",)
"""With the machine to themselves, and only what is marked for each commit."""
COVERAGE = TESTS.parent / "build" / "coverage.json"
NOT_HERE = {"scale"}
"""A target of its own."""
WORDS = {"failure": "failed", "error": "error", "skipped": "skipped"}


def main(arguments: list[str]) -> int:
    """0 when all passed, else 1. The last line is the summary of all three in pytest's own form, coverage before it."""
    _everything_is_named()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as kept:
        reports = Path(folder)
        second = _start(HALVES[1], arguments, reports, kept)
        codes = [_start(HALVES[0], arguments, reports).wait(), second.wait()]
        kept.seek(0)
        sys.stdout.writelines(kept)
        codes.append(_start(ALONE, arguments, reports).wait())
        print(coverage.summary(reports.glob("*.json"), COVERAGE))
        print(_summary(reports, time.monotonic() - started), flush=True)
    return 1 if any(codes) else 0


def _start(
    names: tuple[str, ...], arguments: list[str], reports: Path, output: IO[str] | None = None
) -> subprocess.Popen[bytes]:
    folders = [str(TESTS / name) for name in names]
    print(f"\n== {' '.join(names)}", file=output or sys.stdout, flush=True)
    # The fault tests run processes, which are not measured, and want the machine to themselves.
    python = [sys.executable] if names == ALONE else coverage.measured(reports / f"{names[0]}.json")
    chosen = ["-m", "each_commit"] if names == ALONE else []
    command = [*python, "-m", "pytest", f"--junitxml={reports / names[0]}.xml", *chosen, *arguments, *folders]
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT if output else None)


def _summary(reports: Path, seconds: float) -> str:
    """Every test that did not pass, by name, and the counts."""
    counts, lines = Counter[str](), [""]
    for report in sorted(reports.glob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
            outcome = next((word for tag, word in WORDS.items() if case.find(tag) is not None), "passed")
            counts[outcome] += 1
            if outcome in ("failed", "error"):
                lines.append(f"{outcome.upper()} {case.get('classname', '').replace('.', '/')}.py::{case.get('name')}")
    told = ", ".join(f"{counts[word]} {word}" for word in (*WORDS.values(), "passed") if counts[word])
    lines.append(f"===== {told or 'no tests ran'} in {seconds:.2f}s =====")
    return "\n".join(lines)


def _everything_is_named() -> None:
    """A folder that nobody named here would never be run."""
    named = {name for group in (*HALVES, ALONE) for name in group} | NOT_HERE
    folders = {path.relative_to(TESTS).parts[0] for path in TESTS.glob("*/**/test_*.py")}
    forgotten = folders - named
    if forgotten:
        raise SystemExit(f"tests/system/run.py does not name: {', '.join(sorted(forgotten))}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
