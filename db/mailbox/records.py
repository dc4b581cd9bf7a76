"""Messages that others carry and that are only kept track of: rows in state `record`, which nobody ever sends.

Their status is read off their times, which are moved by hand and, like a receipt's, never go back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from db.contacts import conversations
from db.contacts.seen import Arrival
from db.cursor import Cursor
from db.mailbox import messages
from db.mailbox.messages import stamp
from db.pool import Pool
from db.tenants.changes import NotFoundError, TakenError
from relay.core.contacts.mapping import ConversationMapping
from relay.core.messages import Direction, Message, ReceiptStatus, dump
from relay.core.ordering import sort_key
from relay.core.queues import SOURCE

PREFIX = "record:"
"""Before the id that came with it: a record must never pass for the provider's own message of that id."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """`at` and `arrived_at` are Unix seconds."""

    direction: Direction
    message: Message
    arrived_at: float
    provider_id: str | None = None
    media_type: str | None = None
    media_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """As it stands. `source_id` is the one it came with."""

    id: str
    tenant_id: str
    line_id: str
    conversation_id: str
    direction: Direction
    type: str
    source_id: str
    provider_id: str | None
    text: str | None = field(repr=False)
    media_type: str | None
    media_url: str | None = field(repr=False)
    at: datetime
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    reason_code: str | None
    reason: str | None

    @property
    def status(self) -> str:
        """The ladder of receipts: what arrived did not fail."""
        ladder = (("read", self.read_at), ("delivered", self.delivered_at), ("failed", self.failed_at))
        return next((name for name, at in (*ladder, ("sent", self.sent_at)) if at is not None), "recorded")


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What became of it, and when (Unix seconds)."""

    status: ReceiptStatus
    at: float
    code: str | None = None
    reason: str | None = None


COLUMNS = """id, tenant_id, line_id, conversation_id, direction, type, source_id, provider_id, content ->> 'text',
 media_type, media_url, provider_time, created_at, sent_at, delivered_at, read_at, failed_at, reason_code, reason"""


def _record(row: Sequence[Any]) -> Record:
    return Record(
        str(row[0]), str(row[1]), str(row[2]), str(row[3]), row[4], row[5], str(row[6]).removeprefix(PREFIX), *row[7:]
    )


def put(
    pool: Pool, mapping: ConversationMapping, new: NewRecord, move: RecordChange | None = None
) -> tuple[Record, bool]:
    """The record, and whether it was written now: the same source id again is the same record."""
    message = replace(new.message, source_id=PREFIX + new.message.source_id)
    key = sort_key(SOURCE[new.direction], message.provider_time, new.arrived_at, 0)
    with pool.transaction() as cursor:
        conversations.touch(cursor, [Arrival(mapping.conversation_id, new.arrived_at)])
        cursor.execute(
            f"""INSERT INTO message_tracking (id, tenant_id, line_id, conversation_id, shard, direction, source_id,
                  type, content, media_type, media_url, sort_time, arrived_at, idx, provider_time, state,
                  provider_id, origin)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'record', %s, 'api')
                ON CONFLICT (line_id, direction, source_id) DO NOTHING RETURNING {COLUMNS}""",
            (
                messages.new_id(), mapping.tenant_id, mapping.line_id, mapping.conversation_id, mapping.shard,
                new.direction, message.source_id, message.type, dump(message).decode(), new.media_type,
                new.media_url, stamp(key.time), stamp(key.arrived_at), key.index, stamp(message.provider_time),
                new.provider_id,
            ),
        )  # fmt: skip
        row = cursor.fetchone()
        if row is None:
            return _known(cursor, mapping.line_id, new.direction, message.source_id), False
        if move is not None:
            row = _moved(cursor, row[0], move)
    return _record(row), True


def _known(cursor: Cursor, line_id: str, direction: str, source_id: str) -> Record:
    cursor.execute(
        f"SELECT {COLUMNS} FROM message_tracking WHERE line_id = %s AND direction = %s AND source_id = %s",
        (line_id, direction, source_id),
    )
    return _record(cursor.fetchone())


def move(pool: Pool, tenant_id: str | None, message_id: str, step: RecordChange) -> Record:
    """Write down what became of it. Raises NotFoundError; TakenError for what the relay itself carries."""
    key = UUID(message_id)
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT state FROM message_tracking WHERE id = %s AND (%s::uuid IS NULL OR tenant_id = %s) FOR UPDATE",
            (key, tenant_id, tenant_id),
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("there is no such message")
        if row[0] != "record":
            text = "the relay carries this message itself, and the providers' receipts move it; only records are moved"
            raise TakenError("not_a_record", text)
        return _record(_moved(cursor, key, step))


# The same ladder as db.mailbox.receipts': a time once known stays, nothing is delivered before it is sent.
MOVE = f"""
WITH v AS (SELECT %(sent)s::timestamptz AS sent, %(delivered)s::timestamptz AS delivered, %(read)s::timestamptz AS read,
                  %(failed)s::timestamptz AS failed),
merged AS (
    SELECT m.id, coalesce(m.sent_at, v.sent, v.delivered, v.read) AS sent_at,
           coalesce(m.delivered_at, CASE WHEN v.delivered IS NOT NULL THEN greatest(v.delivered, m.sent_at) END)
             AS delivered_at,
           coalesce(m.read_at, CASE WHEN v.read IS NOT NULL THEN greatest(v.read, m.delivered_at, m.sent_at) END)
             AS read_at,
           coalesce(m.failed_at, v.failed) AS failed_at, m.failed_at IS NULL AND v.failed IS NOT NULL AS newly_failed
    FROM message_tracking m, v WHERE m.id = %(id)s)
UPDATE message_tracking m
SET sent_at = n.sent_at, delivered_at = n.delivered_at, read_at = n.read_at, failed_at = n.failed_at,
    reason_code = CASE WHEN coalesce(n.delivered_at, n.read_at) IS NOT NULL THEN NULL
                       WHEN n.newly_failed THEN %(code)s ELSE m.reason_code END,
    reason = CASE WHEN coalesce(n.delivered_at, n.read_at) IS NOT NULL THEN NULL
                  WHEN n.newly_failed THEN %(reason)s ELSE m.reason END,
    updated_at = now()
FROM merged n WHERE m.id = n.id RETURNING {", ".join("m." + name.strip() for name in COLUMNS.split(","))}
"""


def _moved(cursor: Cursor, key: UUID, step: RecordChange) -> Sequence[Any]:
    times = {name: stamp(step.at) if step.status == name else None for name in ("sent", "delivered", "read", "failed")}
    cursor.execute(MOVE, {**times, "code": step.code, "reason": step.reason, "id": key})
    row: Sequence[Any] = cursor.fetchone()
    return row
