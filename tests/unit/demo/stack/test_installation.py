"""demo.stack.installation: what is said when a step of the start does not end as it should."""

import sys
from pathlib import Path

import pytest

from demo.stack.child import ChildDied
from demo.stack.installation import run_to_its_end
from demo.stack.session import EXPECTED
from demo.stack.waiting import DeadlinePassed

ENDLESS = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)"]


def test_a_step_that_does_not_end_is_told_in_a_sentence_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(DeadlinePassed, match="release was not done after") as caught:
        run_to_its_end("release", ENDLESS, {}, tmp_path, seconds=0.1)
    assert str(tmp_path / "release.log") in str(caught.value)
    assert isinstance(caught.value, EXPECTED)  # what is expected makes no traceback


def test_a_step_that_fails_is_told_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(ChildDied, match=r"exit code 3(.|\n)*why"):
        run_to_its_end("release", [sys.executable, "-c", "print('why'); raise SystemExit(3)"], {}, tmp_path)
