"""A tenant with a line, and messages of its contacts in any state, written through the db layer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from db.audit import Author
from db.contacts import conversations
from db.contacts.seen import Arrival, SeenPerson
from db.mailbox import claims, messages
from db.pool import Pool
from db.tenants import registry
from db.tenants.changes import Changes
from relay.core.contacts.mapping import ConversationMapping
from relay.core.mailbox import Attempt, NewRow, Row
from relay.core.messages import Direction, Media, Message, Person
from relay.core.ordering import SortKey

SHARDS = 16


@dataclass
class House:
    """One tenant. `say` writes a message of a contact, a second after the one before."""

    pool: Pool
    name: str = "Nordwind"
    tenant_id: str = ""
    line_id: str = ""
    ticks: Any = field(default_factory=lambda: count(int(time.time()) - 3000))

    def __post_init__(self) -> None:
        changes = Changes(self.pool, lambda _: None)
        self.tenant_id = registry.create(changes, Author("test"), self.name).id
        self.line_id = str(uuid4())
        with self.pool.transaction() as cursor:
            cursor.execute("UPDATE tenants SET status = 'active' WHERE id = %s", (self.tenant_id,))
            cursor.execute(
                """INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key, status)
                   VALUES (%s, %s, %s, %s, %s, 'active')""",
                (self.line_id, self.tenant_id, str(uuid4().int % 10**15), str(uuid4()), uuid4().hex),
            )

    @property
    def path(self) -> str:
        return f"/portal/tenants/{self.tenant_id}"

    def contact(self, wa_id: str, name: str | None = None) -> ConversationMapping:
        person = Person(wa_id, wa_id=wa_id, name=name)
        with self.pool.transaction() as cursor:
            return conversations.resolve(cursor, [SeenPerson(self.tenant_id, self.line_id, person)], SHARDS)[0]

    def say(
        self,
        wa_id: str,
        text: str | None,
        direction: Direction = "inbound",
        state: str = "received",
        *,
        name: str | None = None,
        reason: str | None = None,
        media: Media | None = None,
        payload: dict[str, Any] | None = None,
    ) -> Row:
        mapping, at = self.contact(wa_id, name), float(next(self.ticks))
        message = Message(
            f"wamid.{uuid4().hex}", Person(wa_id, wa_id=wa_id), at, media.kind if media else "text", text, media
        )
        row = Row(
            messages.new_id(), self.tenant_id, self.line_id, mapping.conversation_id, mapping.shard, direction,
            SortKey(at, at, 0), message, state,
        )  # fmt: skip
        with self.pool.transaction() as cursor:
            messages.insert(cursor, [NewRow(row, payload or {"id": message.source_id}, reason)])
            if state == "dead":  # as a verdict leaves it
                cursor.execute("UPDATE message_tracking SET failed_at = to_timestamp(%s) WHERE id = %s", (at, row.id))
            conversations.touch(cursor, [Arrival(mapping.conversation_id, at)])
        return row

    def call(self, row: Row, n: int, outcome: str, **answer: Any) -> None:
        """A call to the provider, which ended 0.2 s later."""
        at = row.key.arrived_at + n
        with self.pool.transaction() as cursor:
            cursor.execute(
                """INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at)
                   VALUES (%s, %s, %s, 1, to_timestamp(%s), to_timestamp(%s))""",
                (row.id, n, row.line_id, at, at + 10),
            )
            claims.record_attempts(cursor, [Attempt(row.id, row.line_id, n, outcome, at + 0.2, **answer)])
            # As its claim left the row.
            cursor.execute("UPDATE message_tracking SET attempts = greatest(attempts, %s) WHERE id = %s", (n, row.id))

    def audited(self, action: str) -> list[dict[str, Any]]:
        """The details of all lines of this action, the oldest first."""
        with self.pool.transaction() as cursor:
            cursor.execute(
                "SELECT actor, subject, detail FROM audit_log WHERE action = %s AND tenant_id = %s ORDER BY id",
                (action, self.tenant_id),
            )
            return [{"actor": row[0], "subject": row[1], **row[2]} for row in cursor.fetchall()]

    def state(self, row: Row) -> str:
        with self.pool.transaction() as cursor:
            cursor.execute("SELECT state FROM message_tracking WHERE id = %s", (row.id,))
            return str(cursor.fetchone()[0])
