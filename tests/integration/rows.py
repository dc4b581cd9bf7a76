"""A line in a real database, and messages on it, for tests of what is written about them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from db.contacts import conversations
from db.contacts.seen import SeenPerson
from db.mailbox import claims, messages
from db.pool import Pool
from relay.core.mailbox import Attempt, NewRow, Row
from relay.core.messages import Direction, Media, Message, Person
from relay.core.ordering import SortKey

UPDATES = (
    "SELECT pg_stat_get_xact_tuples_updated(t), pg_stat_get_xact_tuples_hot_updated(t) FROM CAST(%s::regclass AS oid) t"
)
NOW = 1_790_000_000.0


def new_line(pool: Pool) -> str:
    """The id of a line of a new tenant."""
    tenant_id, line_id = uuid4(), uuid4()
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO tenants (id, name, webhook_key) VALUES (%s, 'T', %s)", (tenant_id, uuid4().hex))
        cursor.execute(
            """INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key)
               VALUES (%s, %s, '1', 'i', %s)""",
            (line_id, tenant_id, uuid4().hex),
        )
    return str(line_id)


def new_message(pool: Pool, line_id: str, direction: Direction = "outbound", media: Media | None = None) -> Row:
    """A message of a new contact, just received."""
    person = Person(f"49{uuid4().int % 10**10}")
    message = Message(uuid4().hex, person, NOW, media=media)
    with pool.transaction() as cursor:
        cursor.execute("SELECT tenant_id FROM lines WHERE id = %s", (line_id,))
        tenant_id = str(cursor.fetchone()[0])
        [mapping] = conversations.resolve(cursor, [SeenPerson(tenant_id, line_id, person)], 16)
        row = Row(
            messages.new_id(), tenant_id, line_id, mapping.conversation_id, mapping.shard, direction,
            SortKey(NOW, NOW, 0), message,
        )  # fmt: skip
        messages.insert(cursor, [NewRow(row, {})])
    return row


def sent_message(pool: Pool, line_id: str, direction: Direction = "outbound", provider_id: str | None = None) -> Row:
    """The same with one call to the provider, which may have answered with `provider_id`."""
    row = new_message(pool, line_id, direction)
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at)
               VALUES (%s, 1, %s, 1, now(), now())""",
            (row.id, line_id),
        )
        if provider_id is not None:
            claims.record_attempts(cursor, [Attempt(row.id, line_id, 1, "sent", NOW, provider_id)])
    return row


def updates(cursor: Any, table: str) -> tuple[int, int]:
    """How many new versions of rows this connection has counted lately, and how many of them changed no index."""
    cursor.execute(UPDATES, (table,))
    written, in_place = cursor.fetchone()
    return written, in_place
