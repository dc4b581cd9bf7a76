"""conditions and condition_changes: what is open and what is over, brought up to date by one daemon at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extras import execute_values

from db.conditions import looks
from db.cursor import Cursor
from db.paging import Page, decode, page
from db.pool import Pool
from relay.core.conditions.comparing import Difference, OpenCondition, compare
from relay.core.conditions.kinds import KINDS, SeenCondition

TENANTS = 20
"""Looked at in one transaction."""
ROUND_SECONDS = 30.0
FIRST = "00000000-0000-0000-0000-000000000000"
DIGEST_SECONDS = 60
"""What begins within a minute is told together."""
MOST_OPEN = 5_000
"""Of a tenant at once; further ones wait until some are over."""
KEPT_DAYS = 30
EXPIRED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ListedCondition:
    """As it is listed. `over_at` None: it holds, or has been gone for minutes only (`gone_at`)."""

    id: int
    tenant_id: str
    tenant: str
    kind: str
    line_id: str | None
    line: str
    subject: str
    detail: str
    begun_at: datetime
    gone_at: datetime | None
    over_at: datetime | None


def evaluate(pool: Pool, minutes: int) -> bool:
    """The next tenants of a round, where it is due and nobody else is at it. True: the round goes on."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT after::text FROM condition_round WHERE due_at <= now() FOR UPDATE SKIP LOCKED")
        row = cursor.fetchone()
        if row is None:
            return False
        cursor.execute("SELECT id::text FROM tenants WHERE id > %s::uuid ORDER BY id LIMIT %s", (row[0], TENANTS))
        tenants = [row[0] for row in cursor.fetchall()]
        more = len(tenants) == TENANTS
        if tenants:
            _bring_up_to_date(cursor, tenants, minutes)
        cursor.execute(
            "UPDATE condition_round SET after = %s::uuid, due_at = now() + make_interval(secs => %s)",
            (tenants[-1] if more else FIRST, 0 if more else ROUND_SECONDS),
        )
        return more


def _bring_up_to_date(cursor: Cursor, tenants: Sequence[str], minutes: int) -> None:
    cursor.execute(
        """SELECT tenant_id::text, id, kind, line_id::text, subject, gone_at FROM conditions
           WHERE tenant_id = ANY(%s::uuid[]) AND over_at IS NULL""",
        (list(tenants),),
    )
    open_ones: dict[str, list[OpenCondition]] = {}
    for tenant_id, *rest in cursor.fetchall():
        open_ones.setdefault(tenant_id, []).append(OpenCondition(*rest))
    templates = [one.subject for held in open_ones.values() for one in held if one.kind == "template_paused"]
    seen = looks.seen(cursor, tenants, minutes, templates)
    now = looks.now_of(cursor)
    told = set()
    for tenant_id in tenants:
        held = open_ones.get(tenant_id, [])
        found = compare(held, seen.get(tenant_id, ()), now)
        if _write(cursor, tenant_id, found, MOST_OPEN - len(held)):
            told.add(tenant_id)
    if told:
        cursor.execute(
            """UPDATE addressees SET due_at = least(due_at, now() + make_interval(secs => %s))
               WHERE (tenant_id IS NULL OR tenant_id = ANY(%s::uuid[])) AND wanted
                 AND (kind = 'webhook' OR tenant_id IS NULL OR confirmed IS NOT NULL)""",
            (DIGEST_SECONDS, sorted(told)),
        )


def _write(cursor: Cursor, tenant_id: str, found: Difference, room: int) -> bool:
    """True: there is something to tell."""
    if found.back or found.gone:
        cursor.execute(
            """UPDATE conditions SET gone_at = CASE WHEN id = ANY(%(gone)s) THEN now() END
               WHERE id = ANY(%(gone)s) OR id = ANY(%(back)s)""",
            {"gone": found.gone, "back": found.back},
        )
    begun = _begin(cursor, tenant_id, found.begun[: max(0, room)])
    over = []
    if found.over:
        cursor.execute(
            "UPDATE conditions SET over_at = gone_at WHERE id = ANY(%s) AND over_at IS NULL RETURNING id, kind",
            (found.over,),
        )
        over = [row[0] for row in cursor.fetchall() if row[1] not in KINDS or KINDS[row[1]].ends]
    changes = [(one, tenant_id, "over") for one in over] + [(one, tenant_id, "begun") for one in begun]
    if changes:
        execute_values(cursor, "INSERT INTO condition_changes (condition_id, tenant_id, what) VALUES %s", changes)
    return bool(changes)


def _begin(cursor: Cursor, tenant_id: str, seen: Sequence[SeenCondition]) -> list[int]:
    if not seen:
        return []
    rows = [(tenant_id, one.kind, one.line_id, one.subject, one.detail.replace("\x00", "")) for one in seen]
    found = execute_values(
        cursor,
        "INSERT INTO conditions (tenant_id, kind, line_id, subject, detail) VALUES %s RETURNING id",
        rows,
        template="(%s::uuid, %s, %s::uuid, %s, %s)",
        page_size=len(rows),
        fetch=True,
    )
    return [row[0] for row in found]


COLUMNS = """c.id, c.tenant_id::text, t.name AS tenant, c.kind, c.line_id::text, c.subject, c.detail, c.begun_at,
  c.gone_at, c.over_at, coalesce(l.settings ->> 'name', l.phone_number_id, '') AS line"""
FROM = "FROM conditions c JOIN tenants t ON t.id = c.tenant_id LEFT JOIN lines l ON l.id = c.line_id"


def open_ones(pool: Pool, tenant_id: str | None, most: int = 200) -> list[ListedCondition]:
    """A tenant's, or everybody's; the oldest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} {FROM}
                WHERE c.over_at IS NULL AND (%(tenant)s::uuid IS NULL OR c.tenant_id = %(tenant)s::uuid)
                ORDER BY c.id LIMIT %(most)s""",
            {"tenant": tenant_id, "most": most},
        )
        return cursor.all(ListedCondition)


def past(pool: Pool, tenant_id: str | None, before: str | None = None, limit: int = 25) -> Page[ListedCondition]:
    """Those that are over, the newest first. Raises CursorError."""
    (last,) = decode(before, int) if before is not None else (None,)
    values: dict[str, Any] = {"tenant": tenant_id, "last": last, "limit": limit + 1}
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} {FROM}
                WHERE c.over_at IS NOT NULL AND (%(tenant)s::uuid IS NULL OR c.tenant_id = %(tenant)s::uuid)
                  AND (%(last)s::bigint IS NULL OR c.id < %(last)s) ORDER BY c.id DESC LIMIT %(limit)s""",
            values,
        )
        rows = cursor.all(ListedCondition)
    return page(rows, limit, lambda one: (one.id,))


def expire(cursor: Cursor) -> int:
    """Delete a bounded number of those that have been over for long, with their changes. Returns how many."""
    cursor.execute(
        """DELETE FROM conditions WHERE id IN (
             SELECT id FROM conditions WHERE over_at < %s ORDER BY over_at LIMIT %s)""",
        (looks.now_of(cursor) - timedelta(days=KEPT_DAYS), EXPIRED_AT_ONCE),
    )
    return int(cursor.rowcount)
