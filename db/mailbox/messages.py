"""message_tracking as the conversations' mailbox: rows in, rows out. Claims and outcomes are in `db.mailbox.claims`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from db.cursor import Cursor
from db.mailbox import events
from db.mailbox.raw_payloads import packed
from db.pool import Pool
from db.prepared import Prepared
from relay.core.mailbox import NewRow, Row
from relay.core.messages import Direction, Message, dump_short, load
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


WRITTEN = {
    "id": "uuid", "tenant_id": "uuid", "line_id": "uuid", "conversation_id": "uuid", "shard": "smallint",
    "direction": "text", "source_id": "text", "type": "text", "content": "jsonb", "raw_payload": "bytea",
    "media_type": "text", "sort_time": "timestamptz", "arrived_at": "timestamptz", "idx": "integer",
    "provider_time": "timestamptz", "state": "text", "reason": "text", "reason_code": "text", "report": "text",
    "origin": "text",
}  # fmt: skip
"""The columns of a new row, in the order of `_values`."""

INSERT = Prepared(
    "insert_messages",
    """
INSERT INTO message_tracking
  (id, tenant_id, line_id, conversation_id, shard, direction, source_id, type, content, raw_payload,
   media_type, sort_time, arrived_at, idx, provider_time, state, reason, reason_code,
   report, origin, failed_at, late, events_wanted)
SELECT v.*, CASE WHEN v.report IS NOT NULL OR v.state = 'dead' THEN now() END,
       v.origin = 'catch_up' OR
       EXISTS (SELECT 1 FROM message_tracking x
               WHERE x.conversation_id = v.conversation_id AND x.direction = v.direction
                 AND (x.sort_time, x.arrived_at, x.idx) > (v.sort_time, v.arrived_at, v.idx) AND x.attempts > 0),
       EXISTS (SELECT 1 FROM endpoints e WHERE e.tenant_id = v.tenant_id AND e.active)
FROM unnest(%(id)s, %(tenant_id)s, %(line_id)s, %(conversation_id)s, %(shard)s, %(direction)s, %(source_id)s, %(type)s,
            %(content)s, %(raw_payload)s, %(media_type)s, %(sort_time)s, %(arrived_at)s, %(idx)s, %(provider_time)s,
            %(state)s, %(reason)s, %(reason_code)s, %(report)s, %(origin)s)
     AS v (id, tenant_id, line_id, conversation_id, shard, direction, source_id, type, content, raw_payload, media_type,
           sort_time, arrived_at, idx, provider_time, state, reason, reason_code, report, origin)
ON CONFLICT (line_id, direction, source_id) DO NOTHING
RETURNING id::text, late
""",
    **{name: f"{kind}[]" for name, kind in WRITTEN.items()},
)

COLUMNS = """m.id::text, m.tenant_id::text, m.line_id::text, m.conversation_id::text, m.shard, m.direction,
 extract(epoch FROM m.sort_time)::float8, extract(epoch FROM m.arrived_at)::float8, m.idx, m.content, m.state,
 m.attempts, m.claimed_at IS NOT NULL, extract(epoch FROM m.next_attempt_at)::float8,
 extract(epoch FROM m.unknown_until)::float8"""


LATE = ("late", "arrived after a later message had been sent")
CAUGHT_UP = ("caught_up", "its webhook had not reached this relay: asked for afterwards")


@dataclass(frozen=True, slots=True)
class InsertedRows:
    """What became of new rows: written, or there before; of the latter those that are not finished."""

    fresh: list[Row]
    unfinished: list[Row]
    late: int


def insert(cursor: Cursor, new: Sequence[NewRow]) -> InsertedRows:
    """Write the rows, and look up the unfinished ones among those that were there.

    A bare DO NOTHING would hide a row that a dying daemon inserted and nobody works on.
    """
    if not new:
        return InsertedRows([], [], 0)
    ordered = sorted(new, key=lambda one: (one.row.line_id, one.row.direction, one.row.message.source_id))
    columns = zip(*map(_values, ordered), strict=True)
    INSERT.run(cursor, **dict(zip(WRITTEN, columns, strict=True)))
    created = cursor.fetchall()
    ids, late = {row[0] for row in created}, [row[0] for row in created if row[1]]
    caught_up = {one.row.id for one in new if one.origin == "catch_up"}
    events.note(cursor, [(one, *(CAUGHT_UP if one in caught_up else LATE)) for one in late])
    known = [one.row for one in new if one.row.id not in ids]
    return InsertedRows([one.row for one in new if one.row.id in ids], _existing(cursor, known), len(late))


def _values(new: NewRow) -> tuple[Any, ...]:
    row, message = new.row, new.row.message
    return (
        row.id, row.tenant_id, row.line_id, row.conversation_id, row.shard, row.direction, message.source_id,
        message.type, dump_short(message).decode(), packed(new.payload),
        message.media.kind if message.media else None,
        stamp(row.key.time), stamp(row.key.arrived_at), row.key.index, stamp(message.provider_time),
        row.state, new.reason, new.reason_code, new.report, new.origin,
    )  # fmt: skip


EXISTING = Prepared(
    "existing_messages",
    f"""SELECT {COLUMNS} FROM unnest(%(lines)s, %(directions)s, %(sources)s) v (line_id, direction, source_id)
        JOIN message_tracking m ON m.line_id = v.line_id AND m.direction = v.direction AND m.source_id = v.source_id
        WHERE m.state IN ('received', 'unknown')""",
    lines="uuid[]", directions="text[]", sources="text[]",
)  # fmt: skip


def _existing(cursor: Cursor, duplicates: Sequence[Row]) -> list[Row]:
    if not duplicates:
        return []
    EXISTING.run(
        cursor,
        lines=[row.line_id for row in duplicates],
        directions=[row.direction for row in duplicates],
        sources=[row.message.source_id for row in duplicates],
    )
    return [_row(row) for row in cursor.fetchall()]


def _row(row: Sequence[Any]) -> Row:
    id_, tenant_id, line_id, conversation_id, shard, direction, time_, arrived_at, idx, content, *state = row
    key, message = SortKey(time_, arrived_at, idx), load(Message, content)
    return Row(id_, tenant_id, line_id, conversation_id, shard, direction, key, message, *state)


class UnreadableRowsError(ValueError):
    """What stands in these rows cannot be read back. It says which they are, and nothing of what they hold."""

    def __init__(self, message_ids: Sequence[str]) -> None:
        super().__init__(f"{len(message_ids)} rows cannot be read back, the first of them {message_ids[0]}")
        self.message_ids = message_ids


LANES = Prepared(
    "read_lanes",
    # The limit makes it look at each lane by itself, in the order of its index.
    f"""SELECT {COLUMNS} FROM unnest(%(conversations)s) c (id) CROSS JOIN (VALUES ('inbound'), ('outbound')) d (name)
        CROSS JOIN LATERAL (
          SELECT * FROM message_tracking x
          WHERE x.conversation_id = c.id AND x.direction = d.name
            AND x.unfinished AND x.state IN ('received', 'sending', 'unknown')
          ORDER BY x.sort_time, x.arrived_at, x.idx, x.seq LIMIT %(limit)s) m""",
    conversations="uuid[]", limit="integer",
)  # fmt: skip


def unfinished(cursor: Cursor, conversation_ids: Sequence[str], limit: int) -> dict[tuple[str, Direction], list[Row]]:
    """The beginning of each lane that has one, by conversation and direction: once claimed first, then by sort key.

    Raises UnreadableRowsError: which of them no lane can take.
    """
    LANES.run(cursor, conversations=conversation_ids, limit=limit)
    lanes: dict[tuple[str, Direction], list[Row]] = {}
    for row in _readable(cursor.fetchall()):
        lanes.setdefault((row.conversation_id, row.direction), []).append(row)
    for rows in lanes.values():
        rows.sort(key=lambda row: (not row.claimed, row.key))
    return lanes


def _readable(found: Sequence[Sequence[Any]]) -> list[Row]:
    rows, unreadable = [], []
    for one in found:
        try:
            rows.append(_row(one))
        except ValueError:  # its text quotes what people wrote
            unreadable.append(str(one[0]))
    if unreadable:
        raise UnreadableRowsError(unreadable)
    return rows


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
            # What the customer edited it to meanwhile is known to the row alone.
            """UPDATE message_tracking
               SET content = %s::jsonb || CASE WHEN content ? 'edited'
                                               THEN jsonb_build_object('edited', content->'edited') ELSE '{}' END,
                   media_url = coalesce(%s, media_url), updated_at = now()
               WHERE id = %s""",
            (dump_short(message).decode(), where, UUID(message_id)),
        )
