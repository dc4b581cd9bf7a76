"""demo.stack: a child process is stopped for certain, and its end is explained."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo.stack import Child, ChildDied
from demo.stack.ports import HOST, free_port, listens
from demo.stack.run_folder import RUNS, run_folder
from tests.waiting import DeadlinePassed, wait_until

# Starts a grandchild, says both ids, and waits for whatever comes.
FAMILY = """
import os, subprocess, sys
grandchild = subprocess.Popen(["sleep", "300"])
print(os.getpid(), grandchild.pid, flush=True)
grandchild.wait()
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(300)"
)
# A parent that is killed while it has a child.
PARENT = """
import pathlib, sys, time
from demo.stack import Child
child = Child("orphan", ["sleep", "300"], pathlib.Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(300)
"""


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def family(tmp_path: Path) -> tuple[Child, int]:
    child = Child("family", [sys.executable, "-c", FAMILY], tmp_path / "family.log")
    child.start()
    wait_until(child.tail, message="the family's ids")
    return child, int(child.tail().split()[1])


@pytest.mark.parametrize("end", [Child.stop, Child.kill9])
def test_nothing_that_a_child_started_outlives_it(tmp_path: Path, end: object) -> None:
    child, grandchild = family(tmp_path)
    assert callable(end)
    end(child)
    assert not child.running()
    wait_until(lambda: not alive(grandchild), message="the grandchild to be gone")


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    child = Child("stubborn", [sys.executable, "-c", STUBBORN], tmp_path / "stubborn.log", stop_seconds=0.2)
    with child:
        wait_until(child.tail, message="the child to be up")
    assert not child.running()


def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]) as parent:
        assert parent.stdout
        orphan = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not alive(orphan), message="the orphan to be gone")


def test_the_end_of_a_child_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Child("short", [sys.executable, "-c", "raise SystemExit('no more tea')"], tmp_path / "short.log") as child:
        wait_until(lambda: not child.running(), message="the child to end")
        with pytest.raises(ChildDied, match=r"short ended with exit code 1(.|\n)*no more tea"):
            child.check()


def test_a_child_can_be_started_again(tmp_path: Path) -> None:
    child = Child("sleeper", ["sleep", "300"], tmp_path / "sleeper.log")
    for _ in range(2):
        with child:
            child.check()
        assert not child.running()


def test_waiting_gives_the_value_or_says_what_it_waited_for() -> None:
    answers = iter([0, 0, 7])
    assert wait_until(lambda: next(answers), message="a seven", interval=0) == 7
    with pytest.raises(DeadlinePassed, match=r"after 0\.01 s still waiting for the moon"):
        wait_until(lambda: False, 0.01, "the moon", interval=0)


def test_a_free_port_is_free_and_nobody_gets_it_by_chance() -> None:
    port = free_port()
    assert not listens(port)
    with socket.socket() as anybody, pytest.raises(OSError, match="in use"):
        anybody.bind((HOST, port))
    with socket.create_server((HOST, port)):
        assert listens(port)


def test_a_run_leaves_no_folder_when_it_ends_well() -> None:
    with run_folder("test") as folder:
        folder.data.mkdir()
        (folder.logs / "web.log").touch()
    assert not folder.path.exists()


def failing_run() -> None:
    with run_folder("test") as folder:
        folder.data.mkdir()
        raise RunFailed(folder.path)


class RunFailed(Exception):
    """Carries the folder of the run out of it."""


def test_a_failed_run_keeps_its_logs_until_the_next_one() -> None:
    with pytest.raises(RunFailed) as failure:
        failing_run()
    (failed,) = failure.value.args
    assert [path.name for path in failed.iterdir()] == ["logs"]
    # As if the run's process had ended long ago; no process has this number.
    leftover = failed.rename(RUNS / "test-4194999")
    with run_folder("test"):
        assert not leftover.exists()
