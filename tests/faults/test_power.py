"""The power goes and comes back: web, relay and all four servers are killed at one moment, and started together."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.processes import ROOT

ALL_KILLED = "everything killed"


def test_after_the_power_was_off_nothing_is_lost_swapped_or_doubled(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"MINUTES": "1.2", "SEED": "8", "ONLY": ALL_KILLED}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos"], cwd=ROOT, env=os.environ | wanted, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    found = json.loads((ROOT / "build" / "faults.json").read_text())
    with capsys.disabled():
        for one in found["troubles"]:
            print(
                f"\n  {one['messages']} messages; all ready {one['repaired_after']} s after they were started", end=", "
            )
            print(f"the last message arrived {one['recovery']} s after that", end="")
    assert {one["name"] for one in found["troubles"]} == {ALL_KILLED}
    assert not found["ended"], "what starts before its servers waits for them"
