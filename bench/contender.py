"""Who is measured: each with its own database and virtual host, started for a measure and stopped after it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import requests

from bench.lines import Line
from demo.stack.ports import HOST
from tests.processes import Process

WEB_WORKERS = 2
"""The product's own default, and everybody's here."""

Pids = dict[str, tuple[int, ...]]
"""A contender's processes by kind: "web", "daemon"."""


class Contender(Protocol):
    """`lines` is what a load may name, `port` where it goes, `database` the URL of the contender's own."""

    name: str
    port: int
    lines: tuple[Line, ...]
    database: str

    def running(self) -> AbstractContextManager[Pids]:
        """Started and ready; stopped afterwards."""


def gunicorn(app: str, port: int, env: dict[str, str], logs: Path, name: str) -> Process:
    """With gunicorn's own gevent worker."""
    options = ["-k", "gevent", "-w", str(WEB_WORKERS), "-b", f"{HOST}:{port}", "--keep-alive", "15"]
    return Process(name, ["-m", "gunicorn", *options, app], env, logs, answers_something(port))


def answers_something(port: int) -> Callable[[], bool]:
    """Any answer: an application that could not be loaded gives none."""

    def ready() -> bool:
        try:
            return bool(requests.get(f"http://{HOST}:{port}/", timeout=5).status_code)
        except (requests.ConnectionError, requests.Timeout):
            return False

    return ready
