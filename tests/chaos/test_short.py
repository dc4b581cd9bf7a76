"""`make faults` in a minute: a few troubles of the commonest kinds."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT

TROUBLES = (
    "a daemon killed and at once started",
    "a web killed",
    "RabbitMQ cut off",
    "PostgreSQL's sessions ended",
    "Genesys cuts after it took",
)


@pytest.mark.slow
def test_every_promise_is_kept_while_parts_fail() -> None:
    wanted = {"MINUTES": "0.8", "SEED": "4", "ONLY": ",".join(TROUBLES)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos"], cwd=ROOT, env=os.environ | wanted, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    assert "every promise was kept" in done.stdout
