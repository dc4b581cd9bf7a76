"""endpoint_events: what endpoints are still to be told, written by triggers beside what it tells of.

One daemon at a time has an endpoint, for a while that is longer than it works on it. It reads the beginnings of lanes,
a page after the other; of a lane nothing is sent before the one in front has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from psycopg2.extras import execute_values

from db.cursor import Cursor
from db.endpoints.registry import secrets_of
from db.pool import Pool
from db.sealing import Cipher, SealError
from relay.core.endpoints.event import TenantEvent, content_of
from relay.core.messages import Message, load

log = structlog.get_logger(__name__)

FIRST_LANE = UUID(int=0)
AT_ONCE = 1000
"""Rows that one step of expiry deletes or gives up."""
DELIVERED_DAYS = 7
DEAD_DAYS = 30


@dataclass(frozen=True, slots=True)
class TakenEndpoint:
    """`secrets`: those that sign now, the newest first. `troubles`: runs in a row that ended in failure."""

    id: str
    tenant_id: str
    url: str
    contents: bool
    troubles: int
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    event: TenantEvent
    lane: UUID
    attempts: int


@dataclass(frozen=True, slots=True)
class PostAttempt:
    """One post, number `n` of its event. `delay`: seconds until the next; None: it was taken, or `dead`."""

    event_id: str
    tenant_id: str
    n: int
    at: datetime
    seconds: float
    status: int | None = None
    code: str | None = None
    detail: str | None = None
    answer: str | None = None
    delay: float | None = None
    dead: bool = False


def take(pool: Pool, cipher: Cipher, seconds: float, most: int) -> list[TakenEndpoint]:
    """Endpoints with something to be told that nobody has; for so long they are the caller's.

    Whose last turn ended first comes first (`rests_until`). A tenant has few endpoints, so none takes all of `most`.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE endpoints SET taken_until = clock_timestamp() + make_interval(secs => %s) WHERE id = ANY(ARRAY(
                 SELECT e.id FROM endpoints e
                 WHERE e.active AND e.taken_until <= clock_timestamp() AND e.rests_until <= clock_timestamp()
                   AND EXISTS (SELECT 1 FROM endpoint_events v WHERE v.endpoint_id = e.id AND v.state = 'waiting')
                 ORDER BY e.rests_until, e.id LIMIT %s FOR UPDATE SKIP LOCKED))
               RETURNING id::text, tenant_id::text, url, contents, troubles, sealed""",
            (seconds, most),
        )
        found = cursor.dicts()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        now = cursor.fetchone()[0]
    return [taken for one in found if (taken := _opened(cipher, one, now)) is not None]


def _opened(cipher: Cipher, row: dict[str, Any], now: float) -> TakenEndpoint | None:
    """None: its secrets cannot be opened. It is looked at again when its time is over."""
    try:
        return TakenEndpoint(secrets=secrets_of(cipher, row.pop("sealed"), now), **row)
    except SealError as error:
        log.error("endpoint_secrets_closed", endpoint_id=row["id"], error=str(error))
        return None


def page(
    pool: Pool, endpoint: TakenEndpoint, after: UUID, lanes: int, each: int
) -> tuple[list[list[WaitingEvent]], UUID | None]:
    """Of the next `lanes` lanes after that one the first `each` events that may go now, lane by lane.

    And the lane to go on after; None: that was the last.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """WITH RECURSIVE walked AS (
                 (SELECT lane FROM endpoint_events
                  WHERE endpoint_id = %(id)s AND state = 'waiting' AND lane > %(after)s ORDER BY lane LIMIT 1)
                 UNION ALL
                 SELECT (SELECT v.lane FROM endpoint_events v WHERE v.endpoint_id = %(id)s AND v.state = 'waiting'
                         AND v.lane > w.lane ORDER BY v.lane LIMIT 1)
                 FROM walked w WHERE w.lane IS NOT NULL)
               SELECT v.lane, v.id::text, v.kind, extract(epoch FROM v.at)::float8, v.data, v.attempts,
                      v.due_at <= clock_timestamp(),
                      CASE WHEN %(contents)s THEN m.content END, c.wa_id, c.bsuid, c.name
               FROM (SELECT lane FROM walked WHERE lane IS NOT NULL LIMIT %(lanes)s) l
               CROSS JOIN LATERAL (
                 SELECT * FROM endpoint_events x WHERE x.endpoint_id = %(id)s AND x.lane = l.lane
                   AND x.state = 'waiting' ORDER BY x.seq LIMIT %(each)s) v
               LEFT JOIN message_tracking m ON %(contents)s AND m.id = v.message_id
               LEFT JOIN conversation_mappings c ON c.id = m.conversation_id
               ORDER BY v.lane, v.seq""",
            {"id": UUID(endpoint.id), "after": after, "lanes": lanes, "each": each, "contents": endpoint.contents},
        )
        rows = cursor.fetchall()
    found: dict[UUID, list[WaitingEvent]] = {}
    stopped = set()
    for lane, *rest in rows:
        ready = found.setdefault(lane, [])
        if lane not in stopped and (one := _waiting(endpoint.tenant_id, lane, rest)) is not None:
            ready.append(one)
        else:
            stopped.add(lane)
    return [ready for ready in found.values() if ready], max(found) if len(found) == lanes else None


def _waiting(tenant_id: str, lane: UUID, row: Sequence[Any]) -> WaitingEvent | None:
    """None: its time has not come."""
    event_id, kind, at, data, attempts, ready, content, wa_id, bsuid, name = row
    if not ready:
        return None
    said = None if content is None else _said(content, {"wa_id": wa_id, "bsuid": bsuid, "name": name})
    return WaitingEvent(TenantEvent(event_id, kind, at, tenant_id, data, said), lane, attempts)


def _said(content: dict[str, Any], contact: dict[str, str | None]) -> dict[str, Any] | None:
    """None: it cannot be read any more; the event is told without."""
    try:
        return content_of(load(Message, content), contact)
    except ValueError:
        return None


def record(pool: Pool, attempts: Sequence[PostAttempt]) -> None:
    """What came of posts. An event that ended meanwhile stays as it is."""
    if not attempts:
        return
    with pool.transaction() as cursor:
        execute_values(
            cursor,
            """UPDATE endpoint_events e
               SET attempts = v.n, reason = v.reason,
                   state = CASE WHEN v.delay IS NOT NULL THEN 'waiting' WHEN v.dead THEN 'dead' ELSE 'delivered' END,
                   due_at = coalesce(clock_timestamp() + make_interval(secs => v.delay), e.due_at),
                   ended_at = CASE WHEN v.delay IS NULL THEN now() END
               FROM (VALUES %s) AS v (id, n, reason, delay, dead)
               WHERE e.id = v.id::uuid AND e.state = 'waiting'""",
            [(one.event_id, one.n, _reason(one), one.delay, one.dead) for one in attempts],
            template="(%s, %s::int, %s::text, %s::float8, %s::boolean)",
            page_size=len(attempts),
        )
        execute_values(
            cursor,
            # of those that are still there: an erasure may have deleted one meanwhile
            """INSERT INTO endpoint_attempts (event_id, tenant_id, n, at, seconds, status, code, detail, answer)
               SELECT v.* FROM (VALUES %s) AS v (event_id, tenant_id, n, at, seconds, status, code, detail, answer)
               JOIN endpoint_events e ON e.id = v.event_id ON CONFLICT DO NOTHING""",
            [
                (UUID(one.event_id), UUID(one.tenant_id), one.n, one.at, one.seconds, one.status, one.code, one.detail,
                 one.answer)
                for one in attempts
            ],
            template="(%s::uuid, %s::uuid, %s::int, %s::timestamptz, %s::real, %s::int, %s::text, %s::text, %s::text)",
            page_size=len(attempts),
        )  # fmt: skip


def _reason(one: PostAttempt) -> str | None:
    return None if one.code is None else f"{one.code}: {one.detail}"


def give_back(
    pool: Pool, endpoint: TakenEndpoint, rests: float, troubles: int, trouble: str | None, off: str | None = None
) -> None:
    """Others may have it after `rests` seconds. `trouble`: why, None: it takes what it is told. `off`: for good."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE endpoints SET taken_until = '-infinity', trouble = %(trouble)s,
                 troubles = %(troubles)s,
                 rests_until = clock_timestamp() + make_interval(secs => %(rests)s),
                 active = active AND %(off)s IS NULL, off_reason = coalesce(%(off)s, off_reason)
               WHERE id = %(id)s AND url = %(url)s""",
            {
                "rests": rests,
                "troubles": troubles,
                "trouble": trouble,
                "off": off,
                "id": UUID(endpoint.id),
                "url": endpoint.url,
            },
        )


def put_back(pool: Pool, endpoint: TakenEndpoint, rests: float) -> None:
    """Nothing was due there: others may have it after so many seconds, and it stands as before."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE endpoints SET taken_until = '-infinity',
                 rests_until = clock_timestamp() + make_interval(secs => %s) WHERE id = %s""",
            (rests, UUID(endpoint.id)),
        )


def give_up_old(cursor: Cursor) -> int:
    """Those that were tried for a day become dead letters, a bounded number. Returns how many."""
    cursor.execute(
        """UPDATE endpoint_events SET state = 'dead', ended_at = now(),
             reason = coalesce(reason, 'expired: a day is over')
           WHERE id = ANY(ARRAY(
             SELECT id FROM endpoint_events WHERE state = 'waiting' AND expires_at <= now()
             ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))""",
        (AT_ONCE,),
    )
    return int(cursor.rowcount)


def drop_old(cursor: Cursor) -> int:
    """Delete a bounded number of those that ended long ago, with their attempts. Returns how many."""
    dropped = 0
    for state, days in (("delivered", DELIVERED_DAYS), ("dead", DEAD_DAYS)):
        cursor.execute(
            """DELETE FROM endpoint_events WHERE id IN (
                 SELECT id FROM endpoint_events WHERE state = %s AND ended_at < now() - make_interval(days => %s)
                   AND state <> 'waiting' ORDER BY ended_at LIMIT %s)""",
            (state, days, AT_ONCE),
        )
        dropped += int(cursor.rowcount)
    return dropped
