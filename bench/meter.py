"""What a stretch of work cost: CPU by kind of process, and what PostgreSQL wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg2

from bench.servers import Servers

LOOK = """
SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""
STATEMENTS = """
SELECT sum(calls) FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = %s)
"""


@dataclass
class Cost:
    """CPU in seconds. `commits` are transactions that wrote something; `statements` None where nobody counts them."""

    cpu: dict[str, float] = field(default_factory=dict)
    commits: int = 0
    statements: int | None = None
    wal: int = 0


@dataclass(frozen=True)
class Meter:
    servers: Servers
    database: str
    """The contender's, as a URL."""
    pids: Mapping[str, tuple[int, ...]]
    """The contender's own processes by kind: each with all that it started."""

    @contextmanager
    def running(self) -> Iterator[Cost]:
        """The cost is filled in at the end."""
        cost, before_cpu, before = Cost(), self._cpu(), self._written()
        yield cost
        after, after_cpu = self._written(), self._cpu()
        cost.cpu = {kind: after_cpu[kind] - before_cpu[kind] for kind in after_cpu}
        cost.wal, cost.commits = after[0] - before[0], after[1] - before[1]
        cost.statements = after[2] - before[2] if self.servers.counts_statements else None

    def _cpu(self) -> dict[str, float]:
        kinds = {kind: (pid,) for kind, pid in self.servers.pids().items()} | dict(self.pids)
        return {kind: sum(map(tree_cpu, pids)) for kind, pids in kinds.items()}

    def _written(self) -> tuple[int, int, int]:
        connection = psycopg2.connect(self.servers.postgres.url())
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(LOOK)
                wal, transactions = cursor.fetchone() or (0, 0)
                statements = 0
                if self.servers.counts_statements:
                    cursor.execute(STATEMENTS, (self.database.rpartition("/")[2],))
                    statements = int((cursor.fetchone() or (0,))[0] or 0)
                return int(wal), int(transactions), statements
        finally:
            connection.close()


def tree_cpu(pid: int) -> float:
    """Seconds of user and system of a process, all that it started, and those of them that have ended."""
    seconds = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def tree_memory(pid: int) -> int:
    """Bytes that no other process shares, of a process and all that it started."""
    return sum(process.memory_full_info().uss for process in _tree(pid))


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]
