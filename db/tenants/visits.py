"""Whether the operator's people and keys may look into a tenant: always, or while it, or an emergency, lets them.

A visit ends by itself. What was before stands in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool
from db.tenants.changes import NotFoundError, TakenError

HOURS = (1, 8, 72)
"""For so long a tenant may let the operator in."""
FORCED_HOURS = 1
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class VisitStanding:
    """How it stands now. `by_consent`: operators look in only during a visit; `open`: there is one, until `until`.

    `forced`: the operator let itself in, for `reason`. `by`: who opened it.
    """

    by_consent: bool
    open: bool
    until: datetime | None
    forced: bool
    by: str
    reason: str

    @property
    def closed(self) -> bool:
        return self.by_consent and not self.open


def standing(pool: Pool, tenant_id: str) -> VisitStanding | None:
    """None: there is no such tenant."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT visits_by_consent AS by_consent, coalesce(visit_until > now(), false) AS open,
                 visit_until AS until, visit_forced AS forced, visit_by AS by, visit_reason AS reason
               FROM tenants WHERE id = %s::uuid""",
            (tenant_id,),
        )
        return cursor.one(VisitStanding)


def any_closed(pool: Pool) -> bool:
    """Whether there is a tenant into which no operator may look now."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT 1 FROM tenants WHERE visits_by_consent AND coalesce(visit_until <= now(), true))"""
        )
        return bool(cursor.fetchone()[0])


def choose(pool: Pool, by: Author, tenant_id: str, *, by_consent: bool) -> None:
    """From now on; a visit that is open ends."""
    rule: Literal["consent", "always"] = "consent" if by_consent else "always"
    with pool.transaction() as cursor:
        _change(cursor, "visits_by_consent = %s, visit_until = NULL, visit_forced = false", (by_consent,), tenant_id)
        audit.record(cursor, by, f"visits.{rule}", tenant_id=tenant_id, subject=tenant_id)


def allow(pool: Pool, by: Author, tenant_id: str, hours: int) -> None:
    """Let the operator in from now on, for so many of HOURS. Raises TakenError where it may look in anyway."""
    if hours not in HOURS:
        raise ValueError(f"{hours} is none of {HOURS}")
    with pool.transaction() as cursor:
        _open(cursor, by, tenant_id, hours, forced=False, reason="")
        audit.record(cursor, by, "visit.allowed", tenant_id=tenant_id, subject=tenant_id, detail={"hours": hours})


def force(pool: Pool, by: Author, tenant_id: str, reason: str) -> None:
    """The operator lets itself in for FORCED_HOURS. Its tenant is told as of everything that is wrong, at once.

    Raises TakenError where it may look in anyway.
    """
    with pool.transaction() as cursor:
        _open(cursor, by, tenant_id, FORCED_HOURS, forced=True, reason=reason[:LONGEST_REASON])
        detail = {"hours": FORCED_HOURS, "reason": reason[:LONGEST_REASON]}
        audit.record(cursor, by, "visit.forced", tenant_id=tenant_id, subject=tenant_id, detail=detail)
        # Not when the round comes by: whoever has to know is told now.
        cursor.execute("UPDATE condition_round SET due_at = now()")


def end(pool: Pool, by: Author, tenant_id: str) -> bool:
    """At once. False: there was none."""
    with pool.transaction() as cursor:
        cursor.execute(
            "UPDATE tenants SET visit_until = NULL, visit_forced = false WHERE id = %s::uuid AND visit_until > now()",
            (tenant_id,),
        )
        if not cursor.rowcount:
            return False
        audit.record(cursor, by, "visit.ended", tenant_id=tenant_id, subject=tenant_id)
    return True


def _open(cursor: Cursor, by: Author, tenant_id: str, hours: int, *, forced: bool, reason: str) -> None:
    cursor.execute("SELECT visits_by_consent FROM tenants WHERE id = %s::uuid FOR UPDATE", (tenant_id,))
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError("there is no such tenant")
    if not row[0]:
        raise TakenError("visits_not_limited", "operators may look in at any time here: there is nothing to allow")
    _change(
        cursor,
        """visit_until = now() + make_interval(hours => %s), visit_forced = %s, visit_by = %s, visit_reason = %s""",
        (hours, forced, by.actor, reason),
        tenant_id,
    )


def _change(cursor: Cursor, what: str, values: tuple[object, ...], tenant_id: str) -> None:
    cursor.execute(f"UPDATE tenants SET {what} WHERE id = %s::uuid", (*values, tenant_id))
    if not cursor.rowcount:
        raise NotFoundError("there is no such tenant")
