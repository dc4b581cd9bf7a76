"""Messages as they stand after a while, written straight into the tables, for tests of what is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg2.extras import Json

from db.contacts import conversations
from db.contacts.seen import Arrival
from db.mailbox.messages import new_id
from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping
from relay.core.messages import Person

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """A tenant with its lines, on which `message` puts what is asked for."""

    pool: Pool
    tenant_id: str = field(default_factory=new_id)
    line_ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.pool.transaction() as cursor:
            cursor.execute(
                "INSERT INTO tenants (id, name, webhook_key, status) VALUES (%s, 'T', %s, 'active')",
                (self.tenant_id, uuid4().hex),
            )
            for side in ("whatsapp", "genesys"):
                cursor.execute(
                    """INSERT INTO tenant_credentials (tenant_id, type, sealed, shown, health)
                       VALUES (%s, %s, '', %s, 'ok')""",
                    (self.tenant_id, side, Json({"client_id": uuid4().hex})),
                )
        self.line()

    def line(self) -> str:
        self.line_ids.append(new_id())
        self.change(
            """INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key, status)
               VALUES (%s, %s, %s, %s, %s, 'active')""",
            self.line_ids[-1], self.tenant_id, uuid4().hex, uuid4().hex, uuid4().hex,
        )  # fmt: skip
        return self.line_ids[-1]

    def contact(self, number: str = "4915112345678", name: str | None = None, **more: Any) -> ConversationMapping:
        person = Person(number, number, name=name, **more)
        return conversations.find_or_create(self.pool, self.tenant_id, self.line_ids[-1], person, 16)

    def message(self, contact: ConversationMapping, at: datetime = START, **columns: Any) -> str:
        """Inbound and sent unless said otherwise. Returns its id."""
        message_id = new_id()
        row = {
            "id": message_id, "tenant_id": self.tenant_id, "line_id": contact.line_id, "shard": contact.shard,
            "conversation_id": contact.conversation_id, "direction": "inbound", "source_id": uuid4().hex,
            "type": "text", "content": Json({"text": "Hello", "media": None}), "sort_time": at, "arrived_at": at,
            "idx": 0, "provider_time": at, "state": "sent", "created_at": at + timedelta(milliseconds=50),
        } | columns  # fmt: skip
        with self.pool.transaction() as cursor:
            cursor.execute(
                f"INSERT INTO message_tracking ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                list(row.values()),
            )
            conversations.touch(cursor, [Arrival(contact.conversation_id, row["arrived_at"].timestamp())])
        return message_id

    def attempt(self, message_id: str, n: int, at: datetime, outcome: str, provider_id: str | None = None) -> None:
        self.change(
            """INSERT INTO message_attempts
                 (message_id, n, line_id, epoch, started_at, deadline_at, outcome, provider_id)
               VALUES (%s, %s, %s, 1, %s, %s, %s, %s)""",
            UUID(message_id), n, self.line_ids[-1], at, at, outcome, provider_id,
        )  # fmt: skip

    def event(self, message_id: str, at: datetime, event: str, detail: str | None = None) -> None:
        self.change(
            "INSERT INTO message_events (message_id, at, event, detail) VALUES (%s, %s, %s, %s)",
            UUID(message_id), at, event, detail,
        )  # fmt: skip

    def change(self, statement: str, *values: Any) -> None:
        with self.pool.transaction() as cursor:
            cursor.execute(statement, values)
