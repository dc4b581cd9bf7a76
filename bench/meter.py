"""What a stretch of work cost: CPU by kind of process, and what PostgreSQL wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg2

from bench.servers import Servers

LOOK = """
SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       pg_database_size(%s)
"""
# Grouped statements of another length are other statements to PostgreSQL; to whoever reads they are one.
STATEMENTS = """
SELECT regexp_replace(left(query, 400), '\\s+', ' ', 'g') AS told, sum(calls)::bigint, sum(total_exec_time)
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = %s)
GROUP BY told ORDER BY 3 DESC
"""


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    calls: int
    milliseconds: float
    """Of all calls."""


@dataclass
class Cost:
    """CPU in seconds. `commits` are transactions that wrote something, `wal` and `disk` bytes.

    `statements`, the most expensive first, are empty where nobody counts them.
    """

    cpu: dict[str, float] = field(default_factory=dict)
    commits: int = 0
    statements: list[Statement] = field(default_factory=list)
    wal: int = 0
    disk: int = 0


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
        cost, name = Cost(), self.database.rpartition("/")[2]
        connection = psycopg2.connect(self.servers.postgres.url())
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                if self.servers.counts_statements:
                    cursor.execute("SELECT pg_stat_statements_reset()")
                before_cpu, before = self._cpu(), _written(cursor, name)
                yield cost
                after, after_cpu = _written(cursor, name), self._cpu()
                cost.cpu = {kind: after_cpu[kind] - before_cpu[kind] for kind in after_cpu}
                cost.wal, cost.commits, cost.disk = (b - a for a, b in zip(before, after, strict=True))
                if self.servers.counts_statements:
                    cursor.execute(STATEMENTS, (name,))
                    cost.statements = [Statement(*row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def _cpu(self) -> dict[str, float]:
        kinds = {kind: (pid,) for kind, pid in self.servers.pids().items()} | dict(self.pids)
        return {kind: sum(map(tree_cpu, pids)) for kind, pids in kinds.items()}


def _written(cursor: Any, database: str) -> tuple[int, int, int]:
    cursor.execute(LOOK, (database,))
    wal, transactions, size = cursor.fetchone()
    return int(wal), int(transactions), int(size)


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
