"""check_schedules and check_runs: which live line is to be checked when, and what its scheduled checks found.

Runs in a row that found the same are one, seen so many times. Kept are the newest of each line, for KEPT_DAYS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.extras import Json

from db.cursor import Cursor
from db.pool import Pool

EVERY_HOURS = 6
REFUSED_HOURS = 1
"""After a provider's no: whoever mends it is soon told that it is over."""
NEWS_SECONDS = 60
"""After a provider told news of a number or its account: what it says of itself may lag behind them."""
FIRST_MINUTES = 10
"""Lines that are new here are spread over as much."""
KEPT = 60
KEPT_DAYS = 90
TIDIED_AT_ONCE = 500
WORST = {"ok": 0, "warning": 1, "refused": 2}
ASKED_BY_NEWS = ("account_update", "account_review_update", "account_alerts", "phone_number_quality_update",
                 "business_capability_update")  # fmt: skip


@dataclass(frozen=True, slots=True)
class DueCheck:
    """A live line whose turn it is."""

    line_id: str
    tenant_id: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """What scheduled checks found `times` times in a row, first at `begun_at` and last `at`.

    `findings`: those that are not in order, each with side, check, level, text and advice; `looked`: how many there
    were in all. `worst` is ok, warning or refused.
    """

    line_id: str
    begun_at: datetime
    at: datetime
    times: int
    worst: str
    looked: int
    findings: list[dict[str, Any]]


def take_due(pool: Pool, most: int) -> list[DueCheck]:
    """Up to `most` live lines that are due, for this daemon alone. Should it end, they are due again in a few hours."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE check_schedules SET due_at = now() + make_interval(hours => %s) WHERE line_id = ANY(ARRAY(
                 SELECT line_id FROM check_schedules WHERE due_at <= now() ORDER BY due_at LIMIT %s
                 FOR UPDATE SKIP LOCKED))
               RETURNING line_id::text, tenant_id::text""",
            (EVERY_HOURS, most),
        )
        return cursor.all(DueCheck)


def put(pool: Pool, line: DueCheck, worst: str, looked: int, findings: Sequence[dict[str, Any]]) -> None:
    """What was found just now. A no of a provider is looked at again sooner."""
    values = {
        "line": UUID(line.line_id), "tenant": UUID(line.tenant_id), "worst": worst, "looked": looked,
        "findings": Json(list(findings)), "kept": KEPT, "soon": REFUSED_HOURS,
    }  # fmt: skip
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE check_runs SET at = now(), times = times + 1, looked = %(looked)s
               WHERE id = (SELECT max(id) FROM check_runs WHERE line_id = %(line)s)
                 AND worst = %(worst)s AND findings = %(findings)s::jsonb RETURNING 1""",
            values,
        )
        if cursor.fetchone() is None:
            _insert(cursor, values)
        if worst == "refused":
            cursor.execute(
                """UPDATE check_schedules SET due_at = least(due_at, now() + make_interval(hours => %(soon)s))
                   WHERE line_id = %(line)s""",
                values,
            )


def _insert(cursor: Cursor, values: dict[str, Any]) -> None:
    """Nothing for a line that was removed meanwhile."""
    cursor.execute(
        """INSERT INTO check_runs (line_id, tenant_id, worst, looked, findings)
           SELECT id, tenant_id, %(worst)s, %(looked)s, %(findings)s::jsonb FROM lines
           WHERE id = %(line)s AND tenant_id = %(tenant)s""",
        values,
    )
    cursor.execute(
        """DELETE FROM check_runs WHERE line_id = %(line)s AND id IN (
             SELECT id FROM check_runs WHERE line_id = %(line)s ORDER BY id DESC OFFSET %(kept)s)""",
        values,
    )


def hasten(cursor: Cursor, line_id: str) -> None:
    """A provider has told news of this line: it is checked soon, in the transaction that keeps them."""
    cursor.execute(
        """UPDATE check_schedules SET due_at = now() + make_interval(secs => %s)
           WHERE line_id = %s::uuid AND due_at > now() + make_interval(secs => %s)""",
        (NEWS_SECONDS, line_id, NEWS_SECONDS),
    )


def tidy(pool: Pool) -> bool:
    """A schedule for each live line and for no other, and no run that is too old. True: there may be more to do."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO check_schedules (line_id, tenant_id, due_at)
               SELECT l.id, l.tenant_id, now() + random() * make_interval(mins => %s) FROM lines l
               WHERE l.status = 'active' AND NOT EXISTS (SELECT 1 FROM check_schedules s WHERE s.line_id = l.id)
               LIMIT %s ON CONFLICT (line_id) DO NOTHING""",
            (FIRST_MINUTES, TIDIED_AT_ONCE),
        )
        made = cursor.rowcount
        cursor.execute(
            """DELETE FROM check_schedules WHERE line_id IN (
                 SELECT s.line_id FROM check_schedules s JOIN lines l ON l.id = s.line_id
                 WHERE l.status <> 'active' LIMIT %s)""",
            (TIDIED_AT_ONCE,),
        )
        cursor.execute(
            """DELETE FROM check_runs WHERE id IN (
                 SELECT id FROM check_runs WHERE at < now() - make_interval(days => %s) ORDER BY at LIMIT %s)""",
            (KEPT_DAYS, TIDIED_AT_ONCE),
        )
        return int(made) == TIDIED_AT_ONCE


def of_lines(pool: Pool, line_ids: Sequence[str], each: int) -> dict[str, list[CheckRun]]:
    """The newest runs of each of these lines, the newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT r.* FROM unnest(%s::uuid[]) l CROSS JOIN LATERAL (
                 SELECT line_id::text, begun_at, at, times, worst, looked, findings FROM check_runs
                 WHERE line_id = l ORDER BY id DESC LIMIT %s) r""",
            (list(line_ids), each),
        )
        found: dict[str, list[CheckRun]] = {}
        for run in cursor.all(CheckRun):
            found.setdefault(run.line_id, []).append(run)
    return {line_id: sorted(runs, key=lambda one: one.begun_at, reverse=True) for line_id, runs in found.items()}
