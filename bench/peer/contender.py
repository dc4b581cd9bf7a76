"""Starts the peer."""

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

POOL = 100
"""Greenlets of the worker: a usual number for work that waits."""


class Peer:
    """What a team would write instead."""

    name = "peer"

    def __init__(self, servers: Servers, provider_url: str, logs: Path) -> None:
        self.port = free_port()
        self.database = servers.databases.create_empty()
        self._logs = logs
        secret = secrets.token_hex(16)
        self.lines = inbound_lines(self.name, secret, 20_000_000_000_000)
        self._env = {
            "DATABASE_URL": self.database,
            "BROKER_URL": servers.new_broker(self.name),
            "REDIS_URL": servers.redis.url(5),
            "PROVIDER_URL": provider_url,
            "PEER_SECRET": secret,
        }

    @contextmanager
    def running(self) -> Iterator[Pids]:
        options = ["--pool", "gevent", "--concurrency", str(POOL), "--loglevel", "INFO"]
        options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        command = ["-m", "celery", "--app", "bench.peer.tasks", "worker", *options]
        worker = Process("peer", command, self._env, self._logs, lambda: " ready." in worker.output())
        with worker, gunicorn("bench.peer.web:app", self.port, self._env, self._logs, "peer-web") as web:
            yield {"web": (web.pid,), "daemon": (worker.pid,)}
