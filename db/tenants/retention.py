"""retention and retention_steps: what each tenant keeps for how long, and how far deleting the rest is.

A step is taken by one daemon at a time, of all tenants and kinds: deleting is never in a hurry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.extras import Json

from db.audit import Author
from db.pool import Pool
from db.tenants.changes import Changes, NotFoundError
from relay.core.retention import KINDS, RetentionKind

OPERATOR = str(UUID(int=0))
"""In a tenant's place: what belongs to several tenants or to nobody, and to the installation."""
OF_OPERATOR: tuple[RetentionKind, ...] = ("webhooks", "audit")
LOCK = 7_265_029
"""Of PostgreSQL's advisory locks: one daemon takes a step at a time."""
TAKEN_SECONDS = 120
ROUND_SECONDS = 24 * 3600
"""From the end of one look at everything to the beginning of the next."""
TROUBLE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class RetentionStep:
    """What a daemon does next. `days`: as its tenant chose. `reached` is its own note of where it stopped."""

    tenant_id: str
    kind: RetentionKind
    days: dict[str, int]
    reached: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step came to. `more`: this round is not over."""

    count: int
    reached: Mapping[str, Any]
    more: bool


@dataclass(frozen=True, slots=True)
class RetentionProgress:
    """As it is shown. `ended_before`: what is older was gone when the last round ended; `due_at`: the next one."""

    kind: RetentionKind
    deleted: int
    last_deleted: int
    this_round: int
    ended_at: datetime | None
    ended_before: datetime | None
    due_at: datetime
    trouble: str | None


def chosen(pool: Pool, tenant_id: str) -> dict[str, int]:
    """In days by kind; what is not in it was not chosen."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT days FROM retention WHERE tenant_id = %s", (UUID(tenant_id),))
        row = cursor.fetchone()
    return dict(row[0]) if row else {}


def choose(changes: Changes, by: Author, tenant_id: str, days: Mapping[str, int]) -> None:
    """From the next round on, which begins now. The caller has checked them. Raises NotFoundError."""
    with changes.of(tenant_id, by, "retention.changed", detail={"days": dict(days)}) as cursor:
        cursor.execute("SELECT 1 FROM tenants WHERE id = %s", (UUID(tenant_id),))
        if cursor.fetchone() is None:
            raise NotFoundError(f"there is no tenant {tenant_id}")
        cursor.execute(
            """INSERT INTO retention (tenant_id, days, chosen_by) VALUES (%s, %s, %s)
               ON CONFLICT (tenant_id) DO UPDATE SET days = excluded.days, chosen_by = excluded.chosen_by,
                 chosen_at = now()""",
            (UUID(tenant_id), Json(dict(days)), by.actor),
        )
        cursor.execute(
            "UPDATE retention_steps SET due_at = least(due_at, now()) WHERE tenant_id = %s", (UUID(tenant_id),)
        )


def progress(pool: Pool, tenant_id: str) -> list[RetentionProgress]:
    """Of those kinds of which a daemon has heard."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT kind, deleted, last_deleted, this_round, ended_at, ended_before, due_at, trouble
               FROM retention_steps WHERE tenant_id = %s""",
            (UUID(tenant_id),),
        )
        return cursor.all(RetentionProgress)


def enlist(pool: Pool) -> None:
    """Rows for tenants who have none yet."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO retention_steps (tenant_id, kind)
               SELECT t.id, k FROM tenants t CROSS JOIN unnest(%s::text[]) k
               WHERE NOT EXISTS (SELECT 1 FROM retention_steps s WHERE s.tenant_id = t.id AND s.kind = k)
               UNION ALL SELECT %s::uuid, k FROM unnest(%s::text[]) k ON CONFLICT DO NOTHING""",
            (list(KINDS), OPERATOR, list(OF_OPERATOR)),
        )


def take(pool: Pool) -> RetentionStep | None:
    """The step that has waited longest; None: nothing is due, or another daemon is at one."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT 1 FROM retention_steps WHERE taken_until > now() LIMIT 1")
        if cursor.fetchone() is not None:
            return None
        cursor.execute(
            """UPDATE retention_steps s SET taken_until = now() + make_interval(secs => %s)
               FROM (SELECT tenant_id, kind FROM retention_steps WHERE due_at <= now() ORDER BY due_at LIMIT 1) d
               WHERE s.tenant_id = d.tenant_id AND s.kind = d.kind
               RETURNING s.tenant_id::text, s.kind,
                 coalesce((SELECT r.days FROM retention r WHERE r.tenant_id = s.tenant_id), '{}'), s.reached""",
            (TAKEN_SECONDS,),
        )
        row = cursor.fetchone()
    return RetentionStep(*row) if row else None


def done(pool: Pool, step: RetentionStep, result: StepResult, before: datetime) -> None:
    """Note it. While there is more the step is due at once, behind all others that are."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE retention_steps
               SET deleted = deleted + %(count)s, reached = %(reached)s, taken_until = '-infinity', trouble = NULL,
                   this_round = CASE WHEN %(more)s THEN this_round + %(count)s ELSE 0 END,
                   last_deleted = CASE WHEN %(more)s THEN last_deleted ELSE this_round + %(count)s END,
                   ended_at = CASE WHEN %(more)s THEN ended_at ELSE now() END,
                   ended_before = CASE WHEN %(more)s THEN ended_before ELSE %(before)s END,
                   due_at = CASE WHEN %(more)s THEN now() ELSE now() + make_interval(secs => %(round)s) END
               WHERE tenant_id = %(tenant)s AND kind = %(kind)s""",
            {
                "count": result.count, "reached": Json(dict(result.reached)), "more": result.more, "before": before,
                "round": ROUND_SECONDS, "tenant": UUID(step.tenant_id), "kind": step.kind,
            },
        )  # fmt: skip


def put_off(pool: Pool, step: RetentionStep, why: str) -> None:
    """It failed, and is tried again in a while; others go on."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE retention_steps SET taken_until = '-infinity', trouble = %s,
                 due_at = now() + make_interval(secs => %s) WHERE tenant_id = %s AND kind = %s""",
            (why[:500], TROUBLE_SECONDS, UUID(step.tenant_id), step.kind),
        )


def lines_of(pool: Pool, tenant_id: str) -> Sequence[str]:
    """Ids of all lines, released ones too, in order."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT id::text FROM lines WHERE tenant_id = %s ORDER BY id", (UUID(tenant_id),))
        return [row[0] for row in cursor.fetchall()]
