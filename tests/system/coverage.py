"""Which lines of the product the tests ran, in their own processes: a report, not a gate.

slipcover writes the parts: it puts its counting into the code while that is imported and takes it out again where a
line was seen, so that it costs a few seconds and not half of the run, and it minds no greenlet.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

PACKAGES = ("conf", "db", "demo", "relay", "sandbox", "web")
MEASURED = ["-m", "slipcover", "--source", ",".join(PACKAGES), "--json", "--out"]


def measured(report: Path) -> list[str]:
    """The Python command line before `-m pytest` that writes what was run into `report`."""
    return [sys.executable, *MEASURED, str(report)]


def summary(reports: Iterable[Path], kept: Path) -> str:
    """One line with the percentage of each package; `kept` gets the lines that nothing ran, by file, as JSON."""
    executed, lines = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for report in reports:
        for name, file in json.loads(report.read_text())["files"].items():
            executed[name].update(file["executed_lines"])
            lines[name].update(file["executed_lines"], file["missing_lines"])
    kept.parent.mkdir(exist_ok=True)
    missing = {name: sorted(lines[name] - executed[name]) for name in sorted(lines)}
    kept.write_text(json.dumps({name: left for name, left in missing.items() if left}, indent=1))
    return "lines run, without the processes that tests start: " + ", ".join(
        f"{package} {_percentage(package, executed, lines)} %" for package in PACKAGES
    )


def _percentage(package: str, executed: dict[str, set[int]], lines: dict[str, set[int]]) -> int:
    names = [name for name in lines if name.startswith(f"{package}/")]
    return 100 * sum(len(executed[name]) for name in names) // max(sum(len(lines[name]) for name in names), 1)
