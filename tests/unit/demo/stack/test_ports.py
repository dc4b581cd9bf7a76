"""Ports that somebody chose: what is wrong with them is said before anything is started, with how to choose others."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo.stack.ports import HOST, Ports, WrongPorts, free_port
from demo.stack.session import port

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("address", [HOST, "0.0.0.0"])
def test_a_taken_port_is_named_with_its_variable(address: str) -> None:
    with socket.create_server((address, 0)) as somebody:
        taken = somebody.getsockname()[1]
        with pytest.raises(WrongPorts, match=rf"Port {taken} \(SANDBOX_PORT\) is taken\.\n.* make demo WEB_PORT="):
            Ports(free_port(), taken, free_port()).check()


def test_all_that_is_wrong_is_said_at_once() -> None:
    with socket.create_server((HOST, 0)) as somebody:
        taken = somebody.getsockname()[1]
        with pytest.raises(WrongPorts) as wrong:
            Ports(taken, 70_000, taken).check()
    for part in (f"{taken} (WEB_PORT)", "70000 (SANDBOX_PORT)", f"{taken} (METRICS_PORT)", "a port of its own"):
        assert part in str(wrong.value)


def test_free_ports_are_accepted() -> None:
    Ports(free_port(), free_port(), free_port()).check()


@pytest.mark.parametrize("text", ["eight thousand", "-1", "80.5"])
def test_what_is_no_number_is_no_port(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", text)
    with pytest.raises(WrongPorts, match=re.escape(f"WEB_PORT='{text}'")):
        port("WEB_PORT", 8000)


@pytest.mark.parametrize("command", ["demo", "demo.smoke"])
@pytest.mark.parametrize("variable", ["WEB_PORT", "SANDBOX_PORT", "METRICS_PORT"])
def test_nothing_is_started_while_a_chosen_port_is_taken(command: str, variable: str) -> None:
    with socket.create_server((HOST, 0)) as somebody:
        chosen = {"WEB_PORT": free_port(), "SANDBOX_PORT": free_port()} | {variable: somebody.getsockname()[1]}
        env = os.environ | {name: str(number) for name, number in chosen.items()}
        run = [sys.executable, "-m", command]
        ended = subprocess.run(run, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert f"Port {chosen[variable]} ({variable}) is taken." in ended.stderr
    assert "Starting" not in ended.stdout
