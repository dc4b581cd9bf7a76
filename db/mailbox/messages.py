"""message_tracking as the conversations' mailbox: rows in, rows out. Claims and outcomes are in `db.mailbox.claims`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg2.extras import Json, execute_values

from db.mailbox import events
from db.pool import Pool
from relay.core.mailbox import NewRow, Row
from relay.core.messages import Direction, Message, dump, load
from relay.core.ordering import SortKey


def new_id() -> str:
    """A time-ordered UUID (version 7): rows written together stay together in the index."""
    milliseconds = int(time.time() * 1000).to_bytes(6, "big")
    raw = bytearray(milliseconds + os.urandom(10))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(UUID(bytes=bytes(raw)))


def stamp(seconds: float | None) -> datetime | None:
    """Unix seconds as PostgreSQL wants them. Out of range (a provider's nonsense) is None."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


INSERT = """
INSERT INTO message_tracking
  (id, tenant_id, line_id, conversation_id, shard, direction, source_id, type, content, payload,
   media_type, sort_time, arrived_at, idx, provider_time, state, reason, reason_code,
   report, origin, failed_at, late)
SELECT v.id::uuid, v.tenant_id::uuid, v.line_id::uuid, v.conversation_id::uuid, v.shard, v.direction, v.source_id,
       v.type, v.content, v.payload, v.media_type, v.sort_time, v.arrived_at, v.idx, v.provider_time,
       v.state, v.reason, v.reason_code, v.report, v.origin, CASE WHEN v.report IS NOT NULL THEN now() END,
       EXISTS (SELECT 1 FROM message_tracking x
               WHERE x.conversation_id = v.conversation_id::uuid AND x.direction = v.direction
                 AND (x.sort_time, x.arrived_at, x.idx) > (v.sort_time, v.arrived_at, v.idx) AND x.attempts > 0)
FROM (VALUES %s) AS v (id, tenant_id, line_id, conversation_id, shard, direction, source_id, type, content,
                       payload, media_type, sort_time, arrived_at, idx, provider_time, state, reason, reason_code,
                       report, origin)
ON CONFLICT (line_id, direction, source_id) DO NOTHING
RETURNING id, late
"""

TEMPLATE = (
    "(%s, %s, %s, %s, %s::smallint, %s, %s, %s, %s::jsonb, %s::json, %s::text, %s::timestamptz, "
    "%s::timestamptz, %s::integer, %s::timestamptz, %s, %s::text, %s::text, %s::text, %s)"
)

COLUMNS = """id, tenant_id, line_id, conversation_id, shard, direction, extract(epoch FROM sort_time),
 extract(epoch FROM arrived_at), idx, content, state, attempts, claimed_at IS NOT NULL,
 extract(epoch FROM next_attempt_at), extract(epoch FROM unknown_until)"""


@dataclass(frozen=True, slots=True)
class Inserted:
    """What became of new rows: written, or there before; of the latter those that are not finished."""

    fresh: list[Row]
    unfinished: list[Row]
    late: int


def insert(cursor: Any, new: Sequence[NewRow]) -> Inserted:
    """Write the rows, and look up the unfinished ones among those that were there.

    A bare DO NOTHING would hide a row that a dying daemon inserted and nobody works on.
    """
    if not new:
        return Inserted([], [], 0)
    ordered = sorted(new, key=lambda one: (one.row.line_id, one.row.direction, one.row.message.source_id))
    values = [_values(one) for one in ordered]
    created = execute_values(cursor, INSERT, values, template=TEMPLATE, page_size=len(values), fetch=True)
    ids, late = {str(row[0]) for row in created}, [str(row[0]) for row in created if row[1]]
    events.note(cursor, [(one, "late", "arrived after a later message had been sent") for one in late])
    known = [one.row for one in new if one.row.id not in ids]
    return Inserted([one.row for one in new if one.row.id in ids], _existing(cursor, known), len(late))


def _values(new: NewRow) -> tuple[Any, ...]:
    row, message = new.row, new.row.message
    return (
        row.id, row.tenant_id, row.line_id, row.conversation_id, row.shard, row.direction, message.source_id,
        message.type, dump(message).decode(), Json(new.payload),
        message.media.kind if message.media else None,
        stamp(row.key.time), stamp(row.key.arrived_at), row.key.index, stamp(message.provider_time),
        row.state, new.reason, new.reason_code, new.report, new.origin,
    )  # fmt: skip


def _existing(cursor: Any, duplicates: Sequence[Row]) -> list[Row]:
    if not duplicates:
        return []
    keys = [(row.line_id, row.direction, row.message.source_id) for row in duplicates]
    rows = execute_values(
        cursor,
        f"""SELECT {COLUMNS} FROM message_tracking
            WHERE (line_id, direction, source_id) IN (VALUES %s) AND state IN ('received', 'unknown')""",
        keys,
        template="(%s::uuid, %s, %s)",
        page_size=len(keys),
        fetch=True,
    )
    return [_row(row) for row in rows]


def _row(row: Sequence[Any]) -> Row:
    return Row(
        str(row[0]), str(row[1]), str(row[2]), str(row[3]), row[4], row[5],
        SortKey(float(row[6]), float(row[7]), row[8]), load(Message, row[9]), row[10], row[11], row[12],
        _float(row[13]), _float(row[14]),
    )  # fmt: skip


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def unfinished(cursor: Any, conversation_id: str, direction: Direction, limit: int) -> list[Row]:
    """The beginning of a lane: rows once claimed first, then by sort key."""
    cursor.execute(
        f"""SELECT {COLUMNS} FROM message_tracking
            WHERE conversation_id = %s AND direction = %s AND state IN ('received', 'sending', 'unknown')
            ORDER BY sort_time, arrived_at, idx, seq LIMIT %s""",
        (UUID(conversation_id), direction, limit),
    )
    rows = [_row(row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: (not row.claimed, row.key))


def save_content(pool: Pool, message_id: str, message: Message, loss: tuple[str, str] | None = None) -> None:
    """Keep what preparing the media found out, so that no retry downloads or uploads again.

    `loss` goes into the history: (event, what the message had to go on without, and why).
    """
    media = message.media
    where = f"{media.bucket}/{media.object_key}" if media and media.object_key else None
    with pool.transaction() as cursor:
        if loss is not None:
            events.note(cursor, [(message_id, *loss)])
        cursor.execute(
            """UPDATE message_tracking SET content = %s, media_url = coalesce(%s, media_url), updated_at = now()
               WHERE id = %s""",
            (dump(message).decode(), where, UUID(message_id)),
        )
