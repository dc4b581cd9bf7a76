"""tenant_deletions: tenants that leave. First closed, then, when their time has come, deleted step by step.

What is left of a tenant at the end is its row here: the certificate, which counts and names nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from psycopg2.extras import Json

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool
from db.tenants import onboarding, ownership
from db.tenants.changes import Changes, NotFoundError, TakenError
from relay.core.retry import backoff

DeletionStage = Literal["closed", "contacts", "objects", "shared", "waiting", "rows", "again", "audit", "done"]
STAGES: tuple[DeletionStage, ...] = get_args(DeletionStage)
DAYS = 30
"""From closing to deletion, unless somebody says otherwise."""
MOST_DAYS = 365
SETTLE_SECONDS = 60
"""Until then every process has heard that the lines are let go, and calls under way have ended."""
DROPPED_DAYS = 10
"""What comes for a tenant that was deleted is dropped for so long: Meta repeats a webhook for seven days."""
TAKEN_SECONDS = 120
REASON = "the tenant is closed"
COLUMNS = "tenant_id::text, name, closed_at, begins_at, begun_at, stage, counts, trouble, ended_at"


@dataclass(frozen=True, slots=True)
class TenantDeletion:
    """As it is shown; when it has ended, the certificate. `counts`: what was found and removed, by place."""

    tenant_id: str
    name: str
    closed_at: datetime
    begins_at: datetime
    begun_at: datetime | None
    stage: DeletionStage
    counts: dict[str, int]
    trouble: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeletionStep:
    """What a daemon does next; `reached` is its own note of where it stopped. `refs`: ids of its lines at providers."""

    tenant_id: str
    stage: DeletionStage
    refs: frozenset[str]
    since: datetime
    begun_at: datetime
    reached: dict[str, Any]
    failures: int


def close(changes: Changes, by: Author, tenant_id: str, days: float = DAYS) -> TenantDeletion:
    """Lines are let go, keys revoked, people logged out and shut out; in `days` the deletion begins.

    All of it within one transaction: hand over changes whose pool is `db.whole`'s. Raises NotFoundError, TakenError.
    """
    pool = changes.pool
    if _read(pool, tenant_id) is not None:
        raise TakenError("closed", "this tenant is closed already")
    for line in onboarding.listed(pool, tenant_id):
        if line.status != "released":
            ownership.release(changes, by, tenant_id, line.id, REASON)
    with changes.of(tenant_id, by, "tenant.closed", detail={"days": days}) as cursor:
        shut_out = _shut_out(cursor, tenant_id)
        cursor.execute(
            f"""INSERT INTO tenant_deletions (tenant_id, name, refs, since, begins_at, due_at, reached)
                SELECT id, name, ARRAY(
                    SELECT phone_number_id FROM lines WHERE tenant_id = t.id AND proven_at IS NOT NULL
                    UNION SELECT integration_id FROM lines WHERE tenant_id = t.id AND proven_at IS NOT NULL),
                  created_at, now() + make_interval(secs => %(secs)s), now() + make_interval(secs => %(secs)s),
                  %(reached)s
                FROM tenants t WHERE id = %(tenant)s RETURNING {COLUMNS}""",
            {
                "tenant": UUID(tenant_id),
                "secs": max(days * 86_400.0, SETTLE_SECONDS),
                "reached": Json({"shut_out": shut_out}),
            },
        )
        found: TenantDeletion | None = cursor.one(TenantDeletion)
        if found is None:
            raise NotFoundError(f"there is no tenant {tenant_id}")
    # The tenant's own log goes with it; the operator's stays.
    with pool.transaction() as cursor:
        audit.record(cursor, by, "tenant.deletion_asked", subject=tenant_id, detail={"days": days})
    return found


def _shut_out(cursor: Cursor, tenant_id: str) -> list[str]:
    """The users who might log in until now: whoever takes it back lets these in again, and nobody else."""
    tenant = {"tenant": UUID(tenant_id)}
    cursor.execute("UPDATE api_keys SET revoked_at = now() WHERE tenant_id = %(tenant)s AND revoked_at IS NULL", tenant)
    cursor.execute(
        """UPDATE users SET status = 'disabled', updated_at = now() WHERE tenant_id = %(tenant)s AND status = 'active'
           RETURNING id::text""",
        tenant,
    )
    found = [row[0] for row in cursor.fetchall()]
    cursor.execute("DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE tenant_id = %(tenant)s)", tenant)
    cursor.execute("UPDATE endpoints SET active = false, updated_at = now() WHERE tenant_id = %(tenant)s", tenant)
    return found


def begin_now(pool: Pool, by: Author, tenant_id: str, name: str) -> TenantDeletion:
    """Do not wait any longer. `name`: the tenant's, typed. Raises NotFoundError, TakenError."""
    with pool.transaction() as cursor:
        held = _locked(cursor, tenant_id)
        if held.begun_at is not None:
            raise TakenError("begun", "the deletion has begun already")
        if name != held.name:
            raise TakenError("wrong_name", "that is not the tenant's name; nothing was done")
        cursor.execute(
            f"""UPDATE tenant_deletions
                SET begins_at = least(begins_at, greatest(now(), closed_at + make_interval(secs => %(settle)s))),
                  due_at = least(begins_at, greatest(now(), closed_at + make_interval(secs => %(settle)s)))
                WHERE tenant_id = %(tenant)s RETURNING {COLUMNS}""",
            {"tenant": UUID(tenant_id), "settle": SETTLE_SECONDS},
        )
        found: TenantDeletion = cursor.all(TenantDeletion)[0]
        audit.record(cursor, by, "tenant.deletion_at_once", subject=tenant_id)
    return found


def take_back(pool: Pool, by: Author, tenant_id: str) -> None:
    """Not to be deleted, as long as that has not begun: people are let in again, lines have to be proved anew.

    Keys stay revoked. Raises NotFoundError, TakenError.
    """
    with pool.transaction() as cursor:
        if _locked(cursor, tenant_id).begun_at is not None:
            raise TakenError("begun", "the deletion has begun; it cannot be taken back")
        cursor.execute(
            """WITH gone AS (DELETE FROM tenant_deletions WHERE tenant_id = %(tenant)s RETURNING reached)
               UPDATE users SET status = 'active', updated_at = now()
               WHERE tenant_id = %(tenant)s
                 AND id::text IN (SELECT jsonb_array_elements_text(reached->'shut_out') FROM gone)""",
            {"tenant": UUID(tenant_id)},
        )
        audit.record(cursor, by, "tenant.deletion_taken_back", tenant_id=tenant_id)


def get(pool: Pool, tenant_id: str) -> TenantDeletion:
    """Raises NotFoundError."""
    found = _read(pool, tenant_id)
    if found is None:
        raise NotFoundError("this tenant is not closed")
    return found


def _read(pool: Pool, tenant_id: str) -> TenantDeletion | None:
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM tenant_deletions WHERE tenant_id = %s", (UUID(tenant_id),))
        return cursor.one(TenantDeletion)


def _locked(cursor: Cursor, tenant_id: str) -> TenantDeletion:
    cursor.execute(f"SELECT {COLUMNS} FROM tenant_deletions WHERE tenant_id = %s FOR UPDATE", (UUID(tenant_id),))
    found = cursor.one(TenantDeletion)
    if found is None:
        raise NotFoundError("this tenant is not closed; close it first")
    return found


def listed(pool: Pool, limit: int = 200) -> list[TenantDeletion]:
    """Those that are closed, and the certificates, the newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM tenant_deletions ORDER BY closed_at DESC, tenant_id LIMIT %s", (limit,))
        return cursor.all(TenantDeletion)


def take(pool: Pool) -> DeletionStep | None:
    """The one that is due; another daemon does not get it meanwhile. With its first step there is no way back."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE tenant_deletions SET taken_until = now() + make_interval(secs => %s),
                 begun_at = coalesce(begun_at, now())
               WHERE tenant_id = (SELECT tenant_id FROM tenant_deletions WHERE due_at <= now() AND taken_until < now()
                                  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING tenant_id::text, stage, refs, since, begun_at, reached, failures""",
            (TAKEN_SECONDS,),
        )
        found = cursor.dicts()
    return DeletionStep(**{**found[0], "refs": frozenset(found[0]["refs"])}) if found else None


def went_on(
    pool: Pool,
    step: DeletionStep,
    counts: Mapping[str, int],
    stage: DeletionStage,
    reached: Mapping[str, Any] | None = None,
    wait: float = 0.0,
) -> None:
    """Note what was removed and where to go on, `wait` seconds from now. With `done` the certificate is whole."""
    done = stage == "done"
    with pool.transaction() as cursor:
        held = dict(_locked(cursor, step.tenant_id).counts)
        for place, count in counts.items():
            if count:
                held[place] = held.get(place, 0) + count
        cursor.execute(
            """UPDATE tenant_deletions SET counts = %s, stage = %s, reached = %s, failures = 0, trouble = NULL,
                 taken_until = '-infinity', name = CASE WHEN %s THEN '' ELSE name END,
                 refs = CASE WHEN %s THEN '{}' ELSE refs END, ended_at = CASE WHEN %s THEN now() END,
                 due_at = CASE WHEN %s THEN NULL ELSE now() + make_interval(secs => %s) END
               WHERE tenant_id = %s""",
            (Json(held), stage, Json(dict(reached or {})), done, done, done, done, wait, UUID(step.tenant_id)),
        )
        if done:
            audit.record(cursor, Author("relay"), "tenant.deleted", subject=step.tenant_id, detail=held)


def put_off(pool: Pool, step: DeletionStep, why: str) -> None:
    """It failed, and is tried again, after a longer pause each time: it never ends without being whole."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE tenant_deletions SET failures = failures + 1, trouble = %s, taken_until = '-infinity',
                 due_at = now() + make_interval(secs => %s) WHERE tenant_id = %s""",
            (why[:500], max(5.0, backoff(step.failures + 1) * 2), UUID(step.tenant_id)),
        )


def departed(cursor: Cursor) -> set[str]:
    """Tenants whose deletion has begun, or ended lately: what comes for them is dropped."""
    cursor.execute(
        """SELECT tenant_id::text FROM tenant_deletions
           WHERE begun_at IS NOT NULL AND (ended_at IS NULL OR ended_at > now() - make_interval(days => %s))""",
        (DROPPED_DAYS,),
    )
    return {row[0] for row in cursor.fetchall()}
