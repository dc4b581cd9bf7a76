"""What an endpoint was told, how each post ended, and what is to be told once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg2.extras import Json

from db import audit
from db.audit import Author
from db.pool import Pool
from db.tenants.changes import NotFoundError
from relay.core.endpoints.event import TenantEvent
from relay.core.endpoints.kinds import TEST

EventState = Literal["waiting", "delivered", "dead"]
REPLAYED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """`place` is where the list goes on."""

    id: str
    kind: str
    at: datetime
    state: EventState
    attempts: int
    due_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    message_id: str | None
    place: int


@dataclass(frozen=True, slots=True)
class LoggedPost:
    """`status`: what the endpoint answered, None: nothing. `answer`: the beginning of what it said, redacted."""

    n: int
    at: datetime
    seconds: float
    status: int | None
    code: str | None
    detail: str | None
    answer: str | None


def events(
    pool: Pool, tenant_id: str, endpoint_id: str, state: EventState, before: int | None, limit: int
) -> list[LoggedEvent]:
    """Those of one state, the newest first. `before`: the `place` of the last one seen."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT id::text, kind, at, state, attempts, CASE WHEN due_at > '-infinity' THEN due_at END AS due_at,
                      ended_at, reason, message_id::text, seq AS place
               FROM endpoint_events
               WHERE endpoint_id = %s AND state = %s AND tenant_id = %s AND (%s::bigint IS NULL OR seq < %s)
               ORDER BY seq DESC LIMIT %s""",
            (UUID(endpoint_id), state, UUID(tenant_id), before, before, limit),
        )
        return cursor.all(LoggedEvent)


def one(pool: Pool, tenant_id: str, endpoint_id: str, event_id: str) -> TenantEvent:
    """As it is posted, without contents. Raises NotFoundError."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT id::text, kind, extract(epoch FROM at)::float8, tenant_id::text, data FROM endpoint_events
               WHERE id = %s AND endpoint_id = %s AND tenant_id = %s""",
            (UUID(event_id), UUID(endpoint_id), UUID(tenant_id)),
        )
        row = cursor.fetchone()
    if row is None:
        raise NotFoundError("there is no such event; what was taken is kept for 7 days")
    return TenantEvent(*row)


def counts(pool: Pool, endpoint_id: str, most: int = 10_000) -> dict[EventState, int]:
    """How many wait and how many are dead; no more than `most` are counted."""
    found: dict[EventState, int] = {}
    with pool.autocommit() as cursor:
        for state in ("waiting", "dead"):
            cursor.execute(
                """SELECT count(*) FROM (SELECT 1 FROM endpoint_events WHERE endpoint_id = %s AND state = %s
                                         LIMIT %s) counted""",
                (UUID(endpoint_id), state, most),
            )
            found[state] = int(cursor.fetchone()[0])
    return found


def posts(pool: Pool, tenant_id: str, endpoint_id: str, event_id: str, limit: int = 200) -> list[LoggedPost]:
    """Of one event, the newest `limit` posts, the newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT a.n, a.at, a.seconds, a.status, a.code, a.detail, a.answer
               FROM endpoint_attempts a JOIN endpoint_events e ON e.id = a.event_id
               WHERE a.event_id = %s AND e.endpoint_id = %s AND e.tenant_id = %s ORDER BY a.n DESC LIMIT %s""",
            (UUID(event_id), UUID(endpoint_id), UUID(tenant_id), limit),
        )
        return cursor.all(LoggedPost)


def test(pool: Pool, by: Author, tenant_id: str, endpoint_id: str) -> str:
    """Have the endpoint told that it is tried. The event's id; it goes the way of all others, in a lane of its own."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO endpoint_events (endpoint_id, tenant_id, kind, lane, data)
               SELECT id, tenant_id, %s, id, %s FROM endpoints
               WHERE id = %s AND tenant_id = %s RETURNING id::text""",
            (TEST, Json({"endpoint_id": endpoint_id}), UUID(endpoint_id), UUID(tenant_id)),
        )
        event_id: str = cursor.fetchone()[0]
        audit.record(cursor, by, "endpoint.tested", tenant_id=tenant_id, subject=endpoint_id)
        return event_id


def replay(pool: Pool, by: Author, tenant_id: str, endpoint_id: str, event_ids: Sequence[str] | None) -> int:
    """Have dead letters told again, for another day; None: the oldest 1,000. Returns how many there were.

    Of one lane they go in their old order, before what waits there.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE endpoint_events SET state = 'waiting', due_at = '-infinity', ended_at = NULL,
                                          expires_at = now() + interval '1 day'
               WHERE id IN (SELECT id FROM endpoint_events
                            WHERE endpoint_id = %(endpoint)s AND tenant_id = %(tenant)s AND state = 'dead'
                              AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s::uuid[]))
                            ORDER BY seq LIMIT %(most)s FOR UPDATE)""",
            {
                "endpoint": UUID(endpoint_id), "tenant": UUID(tenant_id), "most": REPLAYED_AT_ONCE,
                "ids": None if event_ids is None else list(event_ids),
            },
        )  # fmt: skip
        count = int(cursor.rowcount)
        if count:
            audit.record(
                cursor, by, "endpoint.replayed", tenant_id=tenant_id, subject=endpoint_id, detail={"events": count}
            )
    return count
