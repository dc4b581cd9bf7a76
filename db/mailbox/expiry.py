"""The end of messages: first of what was written and sent, then of the row with its attempts and history.

Line by line, the oldest first, a bounded number at a time, along the index of states. Messages that are not finished
are left; what is left is looked at again with the next round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from db.cursor import Cursor
from db.mailbox import claims
from relay.core.status import LISTED, LISTED_UNFINISHED, UNFINISHED

AT_ONCE = 250
DIRECTIONS = ("inbound", "outbound")
FINISHED = tuple(one for one in LISTED if one not in LISTED_UNFINISHED)
FIRST = "-infinity"

Ending = Literal["contents", "history"]

FOUND = """SELECT m.id::text, m.arrived_at::text, m.seq, m.emptied_at IS NULL
FROM unnest(%(listed)s) s CROSS JOIN unnest(%(directions)s) d CROSS JOIN LATERAL (
  SELECT id, arrived_at, seq, emptied_at FROM message_tracking x
  WHERE x.line_id = %(line)s AND x.listed_as = s AND x.direction = d
    AND (x.arrived_at, x.seq) > (%(at)s::timestamptz, %(seq)s) AND x.arrived_at < %(before)s
  ORDER BY x.arrived_at, x.seq LIMIT %(limit)s) m
ORDER BY m.arrived_at, m.seq LIMIT %(limit)s"""

# What the row is for others stays: whose it was (by its conversation), when, of which kind, in how many parts.
EMPTY = """UPDATE message_tracking SET emptied_at = now(), raw_payload = NULL, payload = NULL, media_url = NULL,
  content = jsonb_strip_nulls(jsonb_build_object(
    'source_id', content->'source_id', 'provider_time', content->'provider_time', 'type', content->'type',
    'part', content->'part', 'parts', content->'parts', 'person', jsonb_build_object('address', '')))
WHERE id = ANY(%s::uuid[]) AND emptied_at IS NULL AND state <> ALL(%s)"""


@dataclass(frozen=True, slots=True)
class ReachedRow:
    """The last row of a line that was looked at: its arrival as PostgreSQL writes it, and its number."""

    at: str = FIRST
    seq: int = 0


@dataclass(frozen=True, slots=True)
class LineExpiry:
    """`ended` messages; `more`: the line may have more of them."""

    ended: int
    reached: ReachedRow
    more: bool


def end(cursor: Cursor, line_id: str, ending: Ending, before: datetime, reached: ReachedRow) -> LineExpiry:
    """Of a line's messages that arrived before then the next ones, AT_ONCE at most."""
    cursor.execute(
        FOUND,
        {
            "line": UUID(line_id), "listed": list(FINISHED), "directions": list(DIRECTIONS), "at": reached.at,
            "seq": reached.seq, "before": before, "limit": AT_ONCE,
        },
    )  # fmt: skip
    rows = cursor.fetchall()
    wanted = [row[0] for row in rows if row[3] or ending == "history"]
    count = empty(cursor, wanted) if ending == "contents" else delete(cursor, wanted)
    if len(rows) == AT_ONCE:
        return LineExpiry(count, ReachedRow(rows[-1][1], rows[-1][2]), more=True)
    return LineExpiry(count, _oldest_left(cursor, line_id, before) or _last(rows, reached), more=False)


def _last(rows: Sequence[Sequence[object]], reached: ReachedRow) -> ReachedRow:
    return ReachedRow(str(rows[-1][1]), int(str(rows[-1][2]))) if rows else reached


def _oldest_left(cursor: Cursor, line_id: str, before: datetime) -> ReachedRow | None:
    """Where the next round begins: once they are finished, they stand behind those that have been looked at."""
    cursor.execute(
        """SELECT m.arrived_at::text, m.seq FROM unnest(%s) s CROSS JOIN unnest(%s) d CROSS JOIN LATERAL (
             SELECT arrived_at, seq FROM message_tracking x
             WHERE x.line_id = %s AND x.listed_as = s AND x.direction = d AND x.arrived_at < %s
             ORDER BY x.arrived_at, x.seq LIMIT 1) m
           ORDER BY m.arrived_at, m.seq LIMIT 1""",
        (list(LISTED_UNFINISHED), list(DIRECTIONS), UUID(line_id), before),
    )
    row = cursor.fetchone()
    return ReachedRow(row[0], row[1] - 1) if row else None


def empty(cursor: Cursor, message_ids: Sequence[str]) -> int:
    """Words, payloads and answers of finished messages. Returns how many there were."""
    if not message_ids:
        return 0
    claims.lock(cursor, message_ids)
    cursor.execute(EMPTY, (list(message_ids), list(UNFINISHED)))
    count = int(cursor.rowcount)
    cursor.execute(
        """UPDATE message_attempts a SET answer = NULL, detail = NULL FROM message_tracking m
           WHERE a.message_id = ANY(%s::uuid[]) AND m.id = a.message_id AND m.emptied_at IS NOT NULL
             AND (a.answer IS NOT NULL OR a.detail IS NOT NULL)""",
        (list(message_ids),),
    )
    return count


def delete(cursor: Cursor, message_ids: Sequence[str], unfinished: bool = False) -> int:
    """Rows with their attempts and history; those that are not finished only where that is said."""
    if not message_ids:
        return 0
    claims.lock(cursor, message_ids)
    cursor.execute(
        """DELETE FROM message_tracking WHERE id = ANY(%s::uuid[]) AND (%s OR state <> ALL(%s))
           RETURNING id""",
        (list(message_ids), unfinished, list(UNFINISHED)),
    )
    gone = [row[0] for row in cursor.fetchall()]
    for table in ("message_attempts", "message_events", "end_requests"):
        cursor.execute(f"DELETE FROM {table} WHERE message_id = ANY(%s)", (gone,))
    return len(gone)
