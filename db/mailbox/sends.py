"""Messages that somebody asks for through the API: put into the conversation's mailbox, and looked at again.

They stand there like a provider's own; the conversation's actor sends them in their turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db.contacts import conversations
from db.contacts.seen import SeenPerson
from db.cursor import Cursor
from db.mailbox import events, messages, sweep
from db.mailbox.raw_payloads import unpacked
from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping
from relay.core.mailbox import NewRow, Row
from relay.core.messages import OWN_IDS, Direction, Message
from relay.core.ordering import sort_key
from relay.core.queues import SOURCE
from relay.core.status import UNFINISHED

PREFIX = "api:"
"""Before the id that its sender gave: no provider's id is like it."""


@dataclass(frozen=True, slots=True)
class NewSend:
    """What to put in, and the request it came from, by which a repeat is known. Times are Unix seconds."""

    tenant_id: str
    line_id: str
    direction: Direction
    message: Message
    at: float
    by: str
    request: dict[str, Any] = field(repr=False)
    conversation_id: str | None = None
    """Where that is known; else it is found, or made, by the message's person."""


@dataclass(frozen=True, slots=True)
class SendState:
    """How a message stands. `status` is its state; finished means that nothing more is done for it now."""

    id: str
    conversation_id: str | None
    direction: Direction
    status: str
    provider_id: str | None
    genesys_conversation_id: str | None
    reason_code: str | None
    reason: str | None

    @property
    def finished(self) -> bool:
        return self.status not in UNFINISHED


class OtherRequestError(ValueError):
    """Another message was asked for under this id before."""


def put(pool: Pool, asked: NewSend, shards: int) -> str:
    """The id of the message, written and its shard's owner told; of the one that is there, for a repeat.

    Raises OtherRequestError.
    """
    with pool.transaction() as cursor:
        # Two requests with one id at the same moment: the second one waits, and finds the first one's message.
        name = f"{asked.tenant_id}:{asked.message.source_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
        known = _known(cursor, asked)
        if known is not None:
            return known
        mapping = _mapping(cursor, asked, shards)
        row = _row(asked, mapping)
        messages.insert(cursor, [NewRow(row, asked.request, origin="api")])
        events.note(cursor, [(row.id, "asked", f"by {asked.by}")])
        sweep.notify(cursor, mapping.shard, mapping.conversation_id)
    return row.id


def _mapping(cursor: Cursor, asked: NewSend, shards: int) -> ConversationMapping:
    if asked.conversation_id is not None:
        return conversations.read(cursor, [asked.conversation_id])[asked.conversation_id]
    seen = SeenPerson(asked.tenant_id, asked.line_id, asked.message.person, asked.at, by="api")
    return conversations.resolve(cursor, [seen], shards)[0]


def asked_before(pool: Pool, tenant_id: str, key: str) -> bool:
    """Whether a message was asked for under this id."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT 1 FROM lines l JOIN message_tracking m ON m.line_id = l.id
                AND m.direction IN ('inbound', 'outbound') AND m.source_id = %s WHERE l.tenant_id = %s LIMIT 1""",
            (f"{PREFIX}{key}", tenant_id),
        )
        return cursor.fetchone() is not None


def _known(cursor: Cursor, asked: NewSend) -> str | None:
    """Looked for on all lines and in both directions, so that an id stands for one message only."""
    cursor.execute(
        """SELECT m.id, m.raw_payload, m.payload FROM lines l JOIN message_tracking m ON m.line_id = l.id
            AND m.direction IN ('inbound', 'outbound') AND m.source_id = %s WHERE l.tenant_id = %s LIMIT 1""",
        (asked.message.source_id, asked.tenant_id),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    if (row[2] if row[1] is None else unpacked(row[1])) != asked.request:
        raise OtherRequestError("another message was asked for with this Idempotency-Key")
    return str(row[0])


def _row(asked: NewSend, mapping: ConversationMapping) -> Row:
    key = sort_key(SOURCE[asked.direction], asked.message.provider_time, asked.at, 0)
    return Row(
        messages.new_id(), mapping.tenant_id, mapping.line_id, mapping.conversation_id, mapping.shard,
        asked.direction, key, asked.message,
    )  # fmt: skip


def outcome(pool: Pool, tenant_id: str | None, message_id: str) -> SendState | None:
    """How it stands. `tenant_id` None: whosever it is (operators only)."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT m.id, m.conversation_id, m.direction, m.state, m.provider_id, c.genesys_conversation_id,
                      m.reason_code, m.reason
               FROM message_tracking m JOIN conversation_mappings c ON c.id = m.conversation_id
               WHERE m.id = %s AND m.origin = 'api' AND (%s::uuid IS NULL OR m.tenant_id = %s)""",
            (UUID(message_id), tenant_id, tenant_id),
        )
        row = cursor.fetchone()
    return SendState(str(row[0]), str(row[1]), *row[2:]) if row else None


def provider_id(pool: Pool, line_id: str, message_id: str) -> str | None:
    """The id that the contact's provider knows a message of the line by; None where it has none, or is none.

    Of what the contact wrote that is its source id, without the part, unless that one is of our own making.
    """
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT CASE direction WHEN 'inbound' THEN split_part(source_id, '#', 1) ELSE provider_id END
               FROM message_tracking
               WHERE id = %s AND line_id = %s AND state <> 'ignored'
                 AND (direction <> 'inbound' OR (origin <> 'api' AND NOT source_id LIKE ANY (%s)))""",
            (UUID(message_id), UUID(line_id), [f"{prefix}%" for prefix in OWN_IDS]),
        )
        row = cursor.fetchone()
    return row[0] if row else None
