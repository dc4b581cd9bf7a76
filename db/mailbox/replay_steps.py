"""What daemons do with a replay (`db/mailbox/replays.py`): they work it off a few messages at a time.

A step takes the oldest of each line and direction, and only as many as the line has room for: what is replayed never
makes more than WINDOW messages wait there, so that what arrives now has its turn soon. It is one transaction: a daemon
that is killed has done all of it or nothing. That its turn has come is written before: a replay whose steps fail stands
behind all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg2
import structlog
from psycopg2.extras import Json

from db.audit import Author
from db.cursor import Cursor
from db.mailbox import dead_letters
from db.mailbox.dead_letters import DeadLetterSelection
from db.mailbox.replays import COLUMNS, ReplayJob, record_end
from db.pool import Pool
from db.views import history
from relay.core.errors import StoreError
from relay.core.retry import backoff

log = structlog.get_logger(__name__)

WINDOW = 20
"""Messages of a line and direction that may wait before a replay adds none. 4 s of Genesys' default rate."""
STEP_SECONDS = 0.25
"""Between two steps of one replay, whoever makes them: 80 messages a second of a line and direction at most."""
STEP_ROWS = 200
"""So many messages a step puts back at most."""
MOST_FAILURES = 10
"""So many steps in a row may fail, over about a minute and a half, before a replay ends as failed."""
AT_ONCE = 500
KEPT_DAYS = 30


def step(pool: Pool) -> ReplayJob | None:
    """A few more of the replay that has waited longest; None: none is due.

    Where that fails, the replay rests with the reason, longer each time, and ends as failed in the end. Raises
    StoreError where not even that can be written.
    """
    due = _take_turn(pool)
    if due is None:
        return None
    replay_id, failures = due
    try:
        return _work(pool, replay_id)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold up other tenants' replays
        return _note_failure(pool, replay_id, failures + 1, error)


def _take_turn(pool: Pool) -> tuple[str, int] | None:
    """The replay that has waited longest, which from now on has not; and how many of its steps failed in a row."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE replays SET stepped_at = clock_timestamp() WHERE id = (
                 SELECT id FROM replays
                 WHERE state = 'running' AND stepped_at <= clock_timestamp() - make_interval(secs => %s)
                 ORDER BY stepped_at LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id::text, failures""",
            (STEP_SECONDS,),
        )
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def _work(pool: Pool, replay_id: str) -> ReplayJob | None:
    """One step. None: it has ended meanwhile, or another daemon is at it."""
    with pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS}, ids::text[], reached, last_turn FROM replays
                WHERE id = %s AND state = 'running' FOR UPDATE SKIP LOCKED""",
            (replay_id,),
        )
        row = cursor.fetchone()
        if row is None:
            return None
        *columns, ids, reached, last_turn = row
        held = ReplayJob(*columns)
        places = _places(cursor, held, reached, last_turn)
        rows = _oldest(cursor, held, ids, places)
        count, all_of_them = _put_back(cursor, held, ids, rows)
        if all_of_them:
            reached |= _reached(places, rows)
        ended = held.put_back + count >= held.total or all(one is None for one in reached.values())
        cursor.execute(
            f"""UPDATE replays SET stepped_at = clock_timestamp(), put_back = put_back + %s, reached = %s,
                  last_turn = %s, failures = 0, failure = NULL,
                  state = CASE WHEN %s THEN 'done' ELSE state END, ended_at = CASE WHEN %s THEN clock_timestamp() END
                WHERE id = %s RETURNING {COLUMNS}""",
            (count, Json(reached), places[-1].key if places else last_turn, ended, ended, held.id),
        )
        held = ReplayJob(*cursor.fetchone())
        if ended:
            record_end(cursor, Author("relay"), held)
    return held


def _note_failure(pool: Pool, replay_id: str, failures: int, error: Exception) -> ReplayJob | None:
    foreseen = isinstance(error, (StoreError, psycopg2.Error))
    reason = str(error) if foreseen else f"{type(error).__name__}, which the daemon's log explains"
    log.warning("replay_step_failed", replay_id=replay_id, failures=failures, error=reason, exc_info=not foreseen)
    ended = failures >= MOST_FAILURES
    with pool.transaction() as cursor:
        cursor.execute(
            f"""UPDATE replays SET failures = %s, failure = %s,
                  stepped_at = clock_timestamp() + make_interval(secs => %s),
                  state = CASE WHEN %s THEN 'failed' ELSE state END, ended_at = CASE WHEN %s THEN clock_timestamp() END
                WHERE id = %s AND state = 'running' RETURNING {COLUMNS}""",
            (failures, reason[:500], backoff(failures), ended, ended, replay_id),
        )
        row = cursor.fetchone()
        held = ReplayJob(*row) if row else None
        if held and ended:
            record_end(cursor, Author("relay"), held)
    return held


def settle(pool: Pool) -> int:
    """Count what has become of those put back; how many are still on their way, AT_ONCE at most."""
    with pool.transaction() as cursor:
        cursor.execute(
            """WITH held AS (
                 SELECT id FROM replays r WHERE EXISTS (SELECT 1 FROM replays_under_way u WHERE u.replay_id = r.id)
                 ORDER BY id FOR UPDATE SKIP LOCKED),
               ended AS (
                 DELETE FROM replays_under_way u USING message_tracking m, held
                 WHERE u.replay_id = held.id AND m.id = u.message_id
                   AND m.state NOT IN ('received', 'sending', 'unknown')
                 RETURNING u.replay_id, m.state IN ('failed', 'dead') AS again)
               UPDATE replays r SET carried = r.carried + e.carried, failed_again = r.failed_again + e.again
               FROM (SELECT replay_id, count(*) FILTER (WHERE again) AS again,
                            count(*) FILTER (WHERE NOT again) AS carried
                     FROM ended GROUP BY replay_id) e
               WHERE r.id = e.replay_id"""
        )
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM replays_under_way LIMIT %s) u", (AT_ONCE,))
        return int(cursor.fetchone()[0])


def drop_old(pool: Pool) -> int:
    """Replays that ended KEPT_DAYS ago, AT_ONCE at most."""
    with pool.transaction() as cursor:
        cursor.execute(
            """DELETE FROM replays WHERE id = ANY(ARRAY(
                 SELECT id FROM replays WHERE ended_at < now() - make_interval(days => %s)
                 ORDER BY ended_at LIMIT %s FOR UPDATE SKIP LOCKED))""",
            (KEPT_DAYS, AT_ONCE),
        )
        return int(cursor.rowcount)


# One step

# What waits on a line counts up to WINDOW: whether there is more makes no difference.
ROOM = """SELECT l.id::text, d.way,
 (SELECT count(*) FROM (SELECT 1 FROM message_tracking w WHERE w.line_id = l.id AND w.direction = d.way
   AND w.listed_as IN ('received', 'unknown') LIMIT %(window)s) w),
 EXISTS (SELECT 1 FROM replays_under_way u WHERE u.replay_id = %(id)s AND u.line_id = l.id AND u.direction = d.way)
FROM lines l CROSS JOIN unnest(%(ways)s) d (way)
WHERE l.tenant_id = %(tenant)s AND (%(line)s::uuid IS NULL OR l.id = %(line)s) ORDER BY l.id, d.way"""

OLDEST = """SELECT m.id::text, m.conversation_id, m.line_id::text, m.direction, m.sort_time, m.arrived_at, m.seq
FROM unnest(%(lines)s::uuid[], %(ways)s::text[], %(ats)s::timestamptz[], %(seqs)s::bigint[], %(rooms)s::int[])
  v (line_id, way, at, seq, room)
CROSS JOIN LATERAL (
  SELECT * FROM message_tracking m WHERE m.line_id = v.line_id AND m.listed_as = 'dead' AND m.direction = v.way
  AND (m.arrived_at, m.seq) > (v.at, v.seq) {conditions} ORDER BY m.arrived_at, m.seq LIMIT v.room) m"""


@dataclass(frozen=True, slots=True)
class LineTurn:
    """A line and direction: after which message (`at`, `seq`) the next `room` ones are looked for."""

    line_id: str
    way: str
    at: str
    seq: int
    room: int

    @property
    def key(self) -> str:
        return f"{self.line_id}/{self.way}"


def _places(cursor: Cursor, held: ReplayJob, reached: dict[str, Any], last_turn: str | None) -> list[LineTurn]:
    """Those with room, for STEP_ROWS in all, beginning behind the one whose turn was last. `reached` then knows all."""
    ways = [held.direction] if held.direction else list(history.DIRECTIONS)
    cursor.execute(
        ROOM, {"window": WINDOW, "id": held.id, "ways": ways, "tenant": held.tenant_id, "line": held.line_id}
    )
    free = []
    for line_id, way, waiting, any_of_ours in cursor.fetchall():
        at, seq = reached.setdefault(f"{line_id}/{way}", ["-infinity", 0]) or (None, 0)
        # A line that is never free takes one of ours after the other all the same.
        room = max(WINDOW - waiting, 0 if any_of_ours else 1)
        if at is not None and room:
            free.append(LineTurn(line_id, way, at, seq, room))
    places, left = [], STEP_ROWS
    for one in sorted(free, key=lambda place: (place.key <= (last_turn or ""), place.key)):
        if left:
            places.append(replace(one, room=min(one.room, left)))
            left -= places[-1].room
    return places


def _oldest(cursor: Cursor, held: ReplayJob, ids: list[str] | None, places: Sequence[LineTurn]) -> list[Sequence[Any]]:
    """The next ones of each place."""
    if not places:
        return []
    conditions, values = dead_letters.conditions(_filter(held), ids)
    values |= {
        "lines": [one.line_id for one in places],
        "ways": [one.way for one in places],
        "ats": [one.at for one in places],
        "seqs": [one.seq for one in places],
        "rooms": [one.room for one in places],
    }
    cursor.execute(OLDEST.format(conditions=conditions), values)
    rows: list[Sequence[Any]] = cursor.fetchall()
    return rows


def _reached(places: Sequence[LineTurn], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The last one of each place; None where there was less than would have had room."""
    found: dict[str, list[tuple[datetime, int]]] = {one.key: [] for one in places}
    for row in rows:
        found[f"{row[2]}/{row[3]}"].append((row[5], row[6]))
    last = {one.key: max(found[one.key]) if len(found[one.key]) == one.room else None for one in places}
    return {key: [one[0].isoformat(), one[1]] if one else None for key, one in last.items()}


def _put_back(
    cursor: Cursor, held: ReplayJob, ids: list[str] | None, rows: Sequence[Sequence[Any]]
) -> tuple[int, bool]:
    """How many went back to their conversations; and whether it was all, or there are more than STEP_ROWS of them."""
    if not rows:
        return 0, True
    lanes = [(row[1], row[3], row[4]) for row in rows]
    chosen = dead_letters.up_to(cursor, _filter(held), lanes, held.started_at, STEP_ROWS, ids)
    back = dead_letters.put_back(cursor, held.started_by, chosen, held.started_at)
    cursor.execute(
        """INSERT INTO replays_under_way (message_id, replay_id, line_id, direction)
           SELECT m.id, %s, m.line_id, m.direction FROM message_tracking m WHERE m.id = ANY(%s::uuid[])
           ON CONFLICT DO NOTHING""",
        (held.id, back),
    )
    return len(back), len(chosen) < STEP_ROWS


def _filter(held: ReplayJob) -> DeadLetterSelection:
    return DeadLetterSelection(
        held.tenant_id, held.line_id, held.direction, held.reason_code, held.since, held.until,
        died_before=held.started_at,
    )  # fmt: skip
