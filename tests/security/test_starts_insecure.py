"""No process starts with what strangers know or can read, and no port is open to them that need not be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import processes as processes_of
from tests.processes import Process
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "web": ["-m", "gunicorn", "-c", "conf/gunicorn.py", "web.wsgi:app"],
    "daemon": ["-m", "relay", "run"],
    "release": ["-m", "relay", "migrate"],
    "users": ["-m", "relay", "users", "list"],
}
ELSEWHERE = "127.0.0.2"
"""This machine too, but not the address that the metrics are for."""


def started(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_demos_settings_start_nothing_off_the_demo(name: str, settings_env: dict[str, str]) -> None:
    """The settings of the tests are those of the demo but for the list of what is admitted."""
    env = settings_env | {"ADMIN_API_KEY": "demo-admin-key"} | {"RELAY_INSECURE": ""}
    done = started(COMMANDS[name], env)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for refused in ("ADMIN_API_KEY", "META_APP_SECRET", "META_VERIFY_TOKEN", "PUBLIC_URL", "META_GRAPH_URL"):
        assert f"  - {refused} " in said, said
    assert "is on the host of PUBLIC_URL" in said, said
    assert "demo-admin-key" not in said
    assert "Traceback" not in said


def test_the_daemons_metrics_are_not_open_to_others(
    settings_env: dict[str, str], processes: Callable[[Process], Process], logs: Path
) -> None:
    port = int(settings_env["METRICS_PORT"])
    processes(processes_of.relay(settings_env, logs))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ELSEWHERE, port), timeout=PATIENCE)


def test_metrics_host_opens_them(
    settings_env: dict[str, str], processes: Callable[[Process], Process], logs: Path
) -> None:
    port = int(settings_env["METRICS_PORT"])
    processes(processes_of.relay(settings_env | {"METRICS_HOST": "0.0.0.0"}, logs))
    socket.create_connection((ELSEWHERE, port), timeout=PATIENCE).close()
