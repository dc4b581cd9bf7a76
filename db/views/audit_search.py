"""audit_log, read. Kept apart from its writing: a search reads a bounded stretch and says where to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.audit import BY_OPERATOR
from db.cursor import Cursor
from db.paging import Page, decode, encode
from db.pool import Pool

STRETCH = 5_000
"""So many lines one page looks through; there is no index over who did what."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line. Without a tenant it concerns the installation."""

    id: int
    at: datetime
    tenant_id: str | None
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """Which lines. Without a tenant: those of the whole installation. `subject` matches exactly, `actor` in part."""

    tenant_id: str | None
    actor: str | None = None
    actions: Sequence[str] = ()
    subject: str | None = None
    until: datetime | None = None
    before: str | None = None
    by_operator: bool = False
    """Only what the operator's people and keys did in a tenant."""


@dataclass(frozen=True, slots=True)
class AuditPage(Page[AuditEntry]):
    """`searched_to`: the page is short, or empty, because a search ended there (older lines may match as well)."""

    searched_to: datetime | None = None


def listed(pool: Pool, wanted: AuditSearch, limit: int = 50) -> AuditPage:
    """The newest first. Without `actor`, `actions` or `subject` every page but the last is full. Raises CursorError."""
    with pool.transaction() as cursor:
        edge = decode(wanted.before, int)[0] if wanted.before is not None else _edge(cursor, wanted)
        values = _values(wanted, edge, limit)
        whose = "tenant_id = %(tenant)s AND" if wanted.tenant_id is not None else ""
        stretch = f"""SELECT id, at, tenant_id::text, actor, action, subject, detail FROM audit_log
                      WHERE {whose} (%(edge)s::bigint IS NULL OR id < %(edge)s) ORDER BY id DESC LIMIT {STRETCH}"""
        cursor.execute(
            f"""WITH stretch AS MATERIALIZED ({stretch})
                SELECT * FROM stretch WHERE {" AND ".join(_conditions(wanted))} ORDER BY id DESC LIMIT %(limit)s""",
            values,
        )
        rows = cursor.all(AuditEntry)
        if len(rows) > limit:
            return AuditPage(rows[:limit], encode(rows[limit - 1].id))
        cursor.execute(f"SELECT count(*), min(id), min(at) FROM ({stretch}) s", values)
        looked_at, last, at = cursor.fetchone()
    return AuditPage(rows, encode(last), at) if looked_at == STRETCH else AuditPage(rows)


def operators_last(pool: Pool, tenant_id: str, days: int) -> AuditEntry | None:
    """What somebody of the operator's did last in this tenant, in the last `days`; None: nothing."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT id, at, tenant_id::text, actor, action, subject, detail FROM audit_log
                WHERE tenant_id = %s AND detail ? '{BY_OPERATOR}' AND at > now() - make_interval(days => %s)
                ORDER BY id DESC LIMIT 1""",
            (tenant_id, days),
        )
        return cursor.one(AuditEntry)


def _values(wanted: AuditSearch, edge: int | None, limit: int) -> dict[str, Any]:
    return {
        "tenant": wanted.tenant_id,
        "edge": edge,
        "actor": (wanted.actor or "").lower(),
        "actions": list(wanted.actions),
        "subject": wanted.subject,
        "limit": limit + 1,
    }


def _conditions(wanted: AuditSearch) -> list[str]:
    conditions = ["true"]
    if wanted.actor:
        conditions.append("strpos(lower(actor), %(actor)s) > 0")
    if wanted.actions:
        conditions.append("action = ANY(%(actions)s)")
    if wanted.subject:
        conditions.append("subject = %(subject)s")
    if wanted.by_operator:
        conditions.append(f"detail ? '{BY_OPERATOR}'")
    return conditions


def _edge(cursor: Cursor, wanted: AuditSearch) -> int | None:
    """The first id at or after `until`, found by halving: ids grow with time, and each look is one index entry."""
    if wanted.until is None:
        return None
    whose = "AND tenant_id = %(tenant)s" if wanted.tenant_id is not None else ""
    low, high = 0, _last(cursor) + 1
    while low < high:
        middle = (low + high) // 2
        cursor.execute(
            f"SELECT id, at < %(until)s FROM audit_log WHERE id >= %(id)s {whose} ORDER BY id LIMIT 1",
            {"id": middle, "until": wanted.until, "tenant": wanted.tenant_id},
        )
        row = cursor.fetchone()
        low, high = (row[0] + 1, high) if row is not None and row[1] else (low, middle)
    return low


def _last(cursor: Cursor) -> int:
    cursor.execute("SELECT coalesce(max(id), 0) FROM audit_log")
    return int(cursor.fetchone()[0])
