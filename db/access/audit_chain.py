"""audit_log as a chain: each line's hash covers its content and the hash of the line before, so that a change shows.

Lines are chained after their commit, a batch at a time, in the order in which they are found: ids that were rolled
back leave no gap, and a line that was committed late simply comes later. Whoever can write to the database can also
chain anew from the line they changed; the digest of the newest line, noted elsewhere, shows that.

Lines end (`end`): first their words are taken out, while digests stay, so that the chain leads through them; then those
at the chain's beginning go, and the digest of the last of them is kept as the anchor from which the rest follows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from psycopg2.extras import execute_values

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool

SLICE = 500
LOCK = 7_265_001
"""Of PostgreSQL's advisory locks: one process chains at a time."""
BEGINNING = bytes(32)
COLUMNS = "id, at, tenant_id, actor, action, subject, detail, n, previous, hash, emptied_at"
ANCHOR = "audit_anchor"
"""In relay_settings: the head of what was at the chain's beginning and has ended."""


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """As it is exported. What is not chained yet has no `n`, `previous` and `hash`; these two are in hex.

    Of one that was emptied the hash covers what stood there before.
    """

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
    emptied_at: datetime | None = None

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
        emptied = {} if self.emptied_at is None else {"emptied_at": self.emptied_at.astimezone(UTC).isoformat()}
        return json.dumps({**self.told(), "hash": self.hash, **emptied})


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
            line = _line((*row[:7], n, bytes.fromhex(previous), None, None))
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


def anchor(pool: Pool) -> ChainHead:
    """The last line of those that are gone from the chain's beginning; the first that is there follows from it."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT value FROM relay_settings WHERE name = %s", (ANCHOR,))
        row = cursor.fetchone()
    if row is None:
        return ChainHead(0, BEGINNING.hex())
    n, _, digest_of = row[0].partition(":")
    return ChainHead(int(n), digest_of)


def end(pool: Pool, tenant_id: str | None, before: datetime, after: int) -> tuple[int, int]:
    """Take the words out of up to SLICE chained lines of before then, beyond the id `after`; drop what may be dropped.

    Without a tenant those of the installation. Returns how many, and the last id that was looked at.
    """
    whose = "tenant_id = %(tenant)s" if tenant_id is not None else "tenant_id IS NULL"
    values = {"tenant": UUID(tenant_id) if tenant_id else None, "after": after, "before": before}
    with pool.transaction() as cursor:
        cursor.execute(
            f"""UPDATE audit_log SET actor = '', action = '', subject = '', detail = '{{}}', emptied_at = now()
                WHERE id = ANY (ARRAY(
                    SELECT id FROM audit_log WHERE {whose} AND id > %(after)s ORDER BY id LIMIT {SLICE}))
                  AND at < %(before)s AND n IS NOT NULL AND emptied_at IS NULL RETURNING id""",
            values,
        )
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            detail = {"lines": len(ids), "before": before.isoformat()}
            audit.record(cursor, Author("relay"), "audit.ended", tenant_id=tenant_id, detail=detail)
    _drop_beginning(pool)
    return len(ids), max(ids, default=after)


def forget(pool: Pool, tenant_id: str, after: int) -> tuple[int, int | None]:
    """Take the words out of up to SLICE lines of a tenant that is deleted, whatever their age, beyond the id `after`.

    How many, and the last id that was looked at; None: there are no more. A line that is not chained yet waits.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            f"SELECT id FROM audit_log WHERE tenant_id = %s AND id > %s ORDER BY id LIMIT {SLICE}",
            (UUID(tenant_id), after),
        )
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            """UPDATE audit_log SET actor = '', action = '', subject = '', detail = '{}', emptied_at = now()
               WHERE id = ANY(%s) AND n IS NOT NULL AND emptied_at IS NULL""",
            (ids,),
        )
        count = int(cursor.rowcount)
        cursor.execute("SELECT count(*) FROM audit_log WHERE id = ANY(%s) AND emptied_at IS NULL", (ids,))
        waiting = int(cursor.fetchone()[0])
    _drop_beginning(pool)
    if waiting:
        return count, after
    return count, ids[-1] if ids else None


def _drop_beginning(pool: Pool) -> None:
    """The newest line always stays: the next one follows from it."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
        if not cursor.fetchone()[0]:
            return
        cursor.execute(
            f"""SELECT n, hash, emptied_at IS NOT NULL FROM audit_log WHERE n IS NOT NULL
                ORDER BY n LIMIT {SLICE + 1}"""
        )
        rows = cursor.fetchall()[:-1]
        gone = list(takewhile(lambda row: row[2], rows))
        if not gone:
            return
        last = ChainHead(int(gone[-1][0]), bytes(gone[-1][1]).hex())
        cursor.execute("DELETE FROM audit_log WHERE n <= %s", (last.n,))
        cursor.execute(
            """INSERT INTO relay_settings VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
            (ANCHOR, str(last)),
        )


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
    return ChainedEntry(line_id, at, tenant_id, actor, action, subject, detail, n, previous, own, row[10])
