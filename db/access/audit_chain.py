"""audit_log as a chain: each line's hash covers its content and the hash of the line before, so that a change shows.

Lines are chained after their commit, a batch at a time, in the order in which they are found: ids that were rolled
back leave no gap, and a line that was committed late simply comes later. Whoever can write to the database can also
chain anew from the line they changed; the digest of the newest line, noted elsewhere, shows that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg2.extras import execute_values

from db.cursor import Cursor
from db.pool import Pool

SLICE = 500
LOCK = 7_265_001
"""Of PostgreSQL's advisory locks: one process chains at a time."""
BEGINNING = bytes(32)
COLUMNS = "id, at, tenant_id, actor, action, subject, detail, n, previous, hash"


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """As it is exported. What is not chained yet has no `n`, `previous` and `hash`; these two are in hex."""

    id: int
    at: datetime
    tenant_id: str | None
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    n: int | None
    previous: str | None
    hash: str | None

    def told(self) -> dict[str, Any]:
        """All but the hash: what the hash covers."""
        return {
            "id": self.id,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "tenant_id": self.tenant_id,
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "detail": self.detail,
            "n": self.n,
            "previous": self.previous,
        }

    def json(self) -> str:
        """One line of an export. ASCII: some programs take other characters for the end of a line."""
        return json.dumps({**self.told(), "hash": self.hash})


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest line of the chain, to be noted elsewhere. Before the first one: 0, and zeros."""

    n: int
    hash: str

    def __str__(self) -> str:
        return f"{self.n}:{self.hash}"


def digest(told: Mapping[str, Any]) -> bytes:
    """SHA-256 of a line as JSON, without its hash, keys in order, no blanks, ASCII only."""
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).digest()


def seal(pool: Pool) -> int:
    """Chains up to SLICE lines. Returns how many; 0 also while another process is at it."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
        if not cursor.fetchone()[0]:
            return 0
        newest = _head(cursor)
        n, previous = newest.n, newest.hash
        cursor.execute(f"SELECT {COLUMNS} FROM audit_log WHERE n IS NULL ORDER BY id LIMIT {SLICE}")
        chained = []
        for row in cursor.fetchall():
            n += 1
            line = _line((*row[:7], n, bytes.fromhex(previous), None))
            chained.append((line.id, n, bytes.fromhex(previous), digest(line.told())))
            previous = chained[-1][-1].hex()
        if chained:
            execute_values(
                cursor,
                """UPDATE audit_log a SET n = c.n, previous = c.previous, hash = c.hash
                   FROM (VALUES %s) AS c (id, n, previous, hash) WHERE a.id = c.id""",
                chained,
                page_size=SLICE,
            )
    return len(chained)


def head(pool: Pool) -> ChainHead:
    """The newest line of the chain."""
    with pool.autocommit() as cursor:
        return _head(cursor)


def unchained(pool: Pool) -> tuple[int, datetime | None]:
    """How many lines wait to be chained, and since when the oldest."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT count(*), min(at) FROM audit_log WHERE n IS NULL")
        count, oldest = cursor.fetchone()
    return int(count), oldest


def chained(pool: Pool) -> Iterator[ChainedEntry]:
    """The whole chain from its beginning, a batch at a time."""
    last = 0
    while batch := _read(pool, "n > %s", (last,), "n"):
        yield from batch
        last = batch[-1].n or last


def exported(pool: Pool, tenant_id: str | None, after: int = 0) -> Iterator[ChainedEntry]:
    """Every line with an id beyond `after`, the oldest first; without a tenant those of the whole installation."""
    while batch := _read(pool, "id > %s AND (%s::uuid IS NULL OR tenant_id = %s::uuid)", (after, tenant_id, tenant_id)):
        yield from batch
        after = batch[-1].id


def _read(pool: Pool, condition: str, values: Sequence[Any], order: str = "id") -> list[ChainedEntry]:
    """No connection is held while whoever reads is slow."""
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM audit_log WHERE {condition} ORDER BY {order} LIMIT {SLICE}", values)
        return [_line(row) for row in cursor.fetchall()]


def _head(cursor: Cursor) -> ChainHead:
    cursor.execute("SELECT n, hash FROM audit_log WHERE n IS NOT NULL ORDER BY n DESC LIMIT 1")
    row = cursor.fetchone()
    return ChainHead(0, BEGINNING.hex()) if row is None else ChainHead(int(row[0]), bytes(row[1]).hex())


def _line(row: Sequence[Any]) -> ChainedEntry:
    tenant_id = None if row[2] is None else str(row[2])
    previous, own = (None if one is None else bytes(one).hex() for one in row[8:10])
    line_id, at, _, actor, action, subject, detail, n = row[:8]
    return ChainedEntry(line_id, at, tenant_id, actor, action, subject, detail, n, previous, own)
