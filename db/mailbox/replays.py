"""Sending many dead letters again: a row says which ones and how far it is. Asked for, watched and cancelled here.

What daemons do with it: `db/mailbox/replay_steps.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.mailbox import dead_letters
from db.mailbox.dead_letters import DeadLetterSelection
from db.paging import Page, decode, page
from db.pool import Pool
from db.tenants.changes import NotFoundError, TakenError

MOST = 100_000
NAMED = 500
"""So many messages a replay may name one by one."""

COLUMNS = """id::text, tenant_id::text, state, started_by, started_at, ended_by, ended_at, line_id::text, direction,
 reason_code, since, until, ids IS NOT NULL, total, put_back, carried, failed_again,
 failure"""


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """`total`: how many there were when it began, up to MOST. `put_back`: those sent to their conversations again.

    Of these `carried` went through, `failed_again` did not, and the others are on their way.
    """

    id: str
    tenant_id: str
    state: str
    """running, done (all were put back), cancelled, or failed (after too many steps in a row that did)."""
    started_by: str
    started_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    line_id: str | None
    direction: str | None
    reason_code: str | None
    since: datetime | None
    until: datetime | None
    chosen: bool
    """Its messages were named one by one."""
    total: int
    put_back: int
    carried: int
    failed_again: int
    failure: str | None
    """What stood in the way of its last step, in words; None: nothing did."""

    @property
    def under_way(self) -> int:
        return self.put_back - self.carried - self.failed_again


# Asking for one


def start(pool: Pool, by: Author, wanted: DeadLetterSelection, ids: Sequence[str] | None = None) -> ReplayJob:
    """All of `wanted.tenant_id` that are dead now and match, or those of them that are named by `ids` (NAMED at most).

    Raises NotFoundError where there is none, and TakenError while another one of the tenant runs.
    """
    named = list(dict.fromkeys(ids))[:NAMED] if ids is not None else None
    with pool.transaction() as cursor:
        cursor.execute("SELECT now()")
        wanted = replace(wanted, before=None, died_before=cursor.fetchone()[0])
        total = dead_letters.counted(cursor, wanted, MOST, named)
        if not total:
            raise NotFoundError("no dead letter matches: there is nothing to send again")
        cursor.execute(
            f"""INSERT INTO replays
                  (id, tenant_id, started_by, started_at, ids, line_id, direction, reason_code, since, until, total)
                VALUES (%s, %s, %s, now(), %s::uuid[], %s, %s, %s, %s, %s, %s)
                ON CONFLICT (tenant_id) WHERE state = 'running' DO NOTHING RETURNING {COLUMNS}""",
            (
                str(uuid4()), wanted.tenant_id, by.actor, named, wanted.line_id, wanted.direction, wanted.reason_code,
                wanted.since, wanted.until, total,
            ),
        )  # fmt: skip
        row = cursor.fetchone()
        if row is None:
            raise TakenError("replay_running", "dead letters of this tenant are being sent again: wait, or cancel that")
        begun = ReplayJob(*row)
        audit.record(cursor, by, "replay.started", tenant_id=begun.tenant_id, subject=begun.id, detail=_asked(begun))
    return begun


def cancel(pool: Pool, by: Author, tenant_id: str | None, replay_id: str) -> ReplayJob:
    """Nothing more is put back; what was, goes on. Once it has ended it stays as it is. Raises NotFoundError."""
    with pool.transaction() as cursor:
        cursor.execute(
            f"""UPDATE replays SET state = 'cancelled', ended_at = now(), ended_by = %s
                WHERE id = %s AND state = 'running' AND (%s::uuid IS NULL OR tenant_id = %s) RETURNING {COLUMNS}""",
            (by.actor, replay_id, tenant_id, tenant_id),
        )
        row = cursor.fetchone()
        if row is not None:
            record_end(cursor, by, ReplayJob(*row))
    return get(pool, tenant_id, replay_id)


def get(pool: Pool, tenant_id: str | None, replay_id: str) -> ReplayJob:
    """Raises NotFoundError."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM replays WHERE id = %s AND (%s::uuid IS NULL OR tenant_id = %s)",
            (replay_id, tenant_id, tenant_id),
        )
        row = cursor.fetchone()
    if row is None:
        raise NotFoundError("there is no such replay")
    return ReplayJob(*row)


def listed(pool: Pool, tenant_id: str | None, limit: int = 20, before: str | None = None) -> Page[ReplayJob]:
    """The newest first. Raises CursorError."""
    at = decode(before, datetime)[0] if before else None
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} FROM replays WHERE (%s::uuid IS NULL OR tenant_id = %s)
                AND (%s::timestamptz IS NULL OR started_at < %s) ORDER BY started_at DESC LIMIT %s""",
            (tenant_id, tenant_id, at, at, limit + 1),
        )
        found = [ReplayJob(*row) for row in cursor.fetchall()]
    return page(found, limit, lambda one: (one.started_at,))


def running(pool: Pool, tenant_id: str) -> ReplayJob | None:
    """The one of this tenant."""
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM replays WHERE tenant_id = %s AND state = 'running'", (tenant_id,))
        row = cursor.fetchone()
    return ReplayJob(*row) if row else None


def record_end(cursor: Cursor, by: Author, held: ReplayJob) -> None:
    """Into the audit log, with what is known then: those on their way are counted later."""
    detail = {"count": held.total, "put_back": held.put_back, "carried": held.carried, "failed": held.failed_again}
    told = detail | ({"reason": held.failure} if held.failure else {})
    verb = "ended" if held.state == "done" else held.state
    audit.record(cursor, by, f"replay.{verb}", tenant_id=held.tenant_id, subject=held.id, detail=told)


def _asked(held: ReplayJob) -> dict[str, Any]:
    told = {
        "line_id": held.line_id, "direction": held.direction, "reason_code": held.reason_code,
        "since": held.since.isoformat() if held.since else None,
        "until": held.until.isoformat() if held.until else None,
    }  # fmt: skip
    return {"count": held.total, "chosen": held.chosen} | {name: value for name, value in told.items() if value}
