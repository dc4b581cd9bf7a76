"""Starts the limit."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contender import Pids, gunicorn
from bench.lines import inbound_lines
from bench.servers import Servers
from demo.stack.ports import free_port
from tests.processes import Process


class Limit:
    """The same hops without logic."""

    name = "limit"

    def __init__(self, servers: Servers, provider_url: str, logs: Path) -> None:
        self.port = free_port()
        self.database = servers.databases.create_empty()
        self._logs = logs
        secret = secrets.token_hex(16)
        self.lines = inbound_lines(self.name, secret, 10_000_000_000_000)
        self._env = {
            "DATABASE_URL": self.database,
            "BROKER_URL": servers.new_broker(self.name),
            "PROVIDER_URL": provider_url,
            "LIMIT_SECRET": secret,
        }

    @contextmanager
    def running(self) -> Iterator[Pids]:
        daemon = Process(
            "limit", ["-m", "bench.limit.daemon"], self._env, self._logs, lambda: "ready" in daemon.output()
        )
        with daemon, gunicorn("bench.limit.web:app", self.port, self._env, self._logs, "limit-web") as web:
            yield {"web": (web.pid,), "daemon": (daemon.pid,)}
