"""How long messages take while a million others come to their end, against how long they take while nothing is deleted.

The filled contender's finished rows are a month old and older. Of the two phases of a round one keeps them for as long
as one may; in the other both of what retention does to a message happen: its contents go, and then its row.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from bench.product import Relay
from bench.stage import Stage
from bench.traffic import quantile
from relay.core.retention import DEDUPE_DAYS, LONGEST_DAYS
from tests.waiting import wait_until

AGE_DAYS = 30
"""Of the youngest row that is copied."""
SHARE = 0.5
"""Of the rate that was reached while the contender warmed up."""
PHASES = {"kept": LONGEST_DAYS - DEDUPE_DAYS, "retention": AGE_DAYS - DEDUPE_DAYS - 1}
"""Days that contents are kept, by the name of the phase; rows follow."""


def measure(stage: Stage, filled: Relay) -> None:
    with filled.running(), closing(psycopg2.connect(filled.database)) as connection:
        connection.autocommit = True
        rate = stage.warm(filled, "inbound") * SHARE
        for name, days in PHASES.items():
            _keep(connection, days)
            before = _settled(connection, busy=name == "retention")
            passage = stage.passed(stage.load(filled, "inbound", int(rate * stage.seconds), rate))
            ended = _deleted(connection) - before
            p50, p99 = (quantile(passage.latencies, share) for share in (0.5, 0.99))
            stage.note(f"{name} p50", p50)
            stage.note(f"{name} p99", p99)
            stage.say(
                f"{name}: {rate:.0f}/s, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms; {ended} times a message's "
                "contents or row ended meanwhile"
            )


def _settled(connection: Any, *, busy: bool) -> int:
    """What was deleted until then: once more of it goes, or nothing is due any more."""
    before = _deleted(connection)
    if busy:
        wait_until(lambda: _deleted(connection) > before, 120, "the first to be deleted")
    else:
        wait_until(lambda: _due(connection) == 0, 120, "deleting to pause")
    return _deleted(connection)


def _keep(connection: Any, days: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO retention (tenant_id, days, chosen_by)
               SELECT id, jsonb_build_object('contents', %s::int, 'history', %s::int), 'bench' FROM tenants
               ON CONFLICT (tenant_id) DO UPDATE SET days = excluded.days""",
            (days, days + DEDUPE_DAYS),
        )
        cursor.execute("UPDATE retention_steps SET due_at = now() WHERE kind IN ('contents', 'history')")


def _due(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM retention_steps WHERE due_at <= now()")
        return int(cursor.fetchone()[0])


def _deleted(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(deleted), 0)::bigint FROM retention_steps")
        return int(cursor.fetchone()[0])
