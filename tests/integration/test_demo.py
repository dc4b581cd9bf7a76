"""`make demo` as somebody at this machine sees it: where it listens, that it ends, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

from demo.stack import Child
from demo.stack.ports import HOST, free_port
from demo.stack.run_folder import ROOT, RUNS
from tests.waiting import PATIENCE, wait_until

READY = "Ctrl-C stops everything"


@dataclass(frozen=True)
class Demo:
    """A running demo and the ports that were chosen for it."""

    child: Child
    ports: dict[str, int]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.child.pid).children(recursive=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    ports = {name: free_port() for name in ("WEB_PORT", "SANDBOX_PORT", "METRICS_PORT")}
    # A proxy that nobody could reach: all of the demo is on this machine.
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://{HOST}:{free_port()}")
    env = os.environ | nowhere | {name: str(port) for name, port in ports.items()}
    log = tmp_path_factory.mktemp("demo") / "demo.log"
    command = [sys.executable, "-m", "demo"]
    with Child("demo", command, log, env, ROOT, stop_signal=signal.SIGINT, stop_seconds=120) as child:
        wait_until(lambda: _ready(child), 4 * PATIENCE, "the demo to be ready")
        yield Demo(child, ports)


def _ready(child: Child) -> bool:
    child.check()
    return READY in child.tail(100)


def test_everything_listens_on_this_machine_only(demo: Demo) -> None:
    listening = [
        (process.name(), connection.laddr)
        for process in demo.family()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len({address.port for _, address in listening}) >= 6, listening  # three servers, web, sandbox, daemon
    assert [one for one in listening if one[1].ip != HOST] == []


def test_the_daemon_answers_where_it_was_told_to(demo: Demo) -> None:
    shown = requests.get(f"http://{HOST}:{demo.ports['METRICS_PORT']}/metrics", timeout=PATIENCE)
    assert shown.ok
    assert f"http://{HOST}:{demo.ports['METRICS_PORT']}/metrics" in demo.child.tail(100)


def test_ctrl_c_ends_it_well_and_leaves_nothing_behind(demo: Demo) -> None:
    family = demo.family()
    (postgres,) = [process for process in family if "-D" in process.cmdline()]
    data = Path(postgres.cmdline()[postgres.cmdline().index("-D") + 1])
    demo.child.send(signal.SIGINT)
    assert demo.child.wait(2 * PATIENCE) == 0, demo.child.tail()
    assert [one for one in family if one.is_running()] == []
    assert not data.parent.exists()
    assert [path.name for path in RUNS.glob(f"demo-{demo.child.pid}*")] == []
