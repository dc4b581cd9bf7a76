"""Who listens to a tenant's Genesys, and of which conversations it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from psycopg2.extras import Json

from db.mailbox import ends
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import event_listeners
from db.tenants.event_listeners import ListenedTenant
from relay.actors.ends_listener import EndsListener
from relay.channels.genesys import create
from relay.channels.http.client import HttpTransport
from relay.core.conversation.ends import ConversationEnd
from tests.integration.rows import NOW, new_line, new_message
from tests.unit.relay.channels.accounts import Tokens


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([Fernet.generate_key().decode()])


@pytest.fixture
def line(pool: Pool) -> str:
    """Of a tenant that wants it; nobody else's is left over."""
    made = new_line(pool)
    with pool.autocommit() as cursor:
        cursor.execute("DELETE FROM event_listeners")
        cursor.execute("UPDATE lines SET settings = settings - 'end_listening'")
    wants(pool, made, True)
    return made


def wants(pool: Pool, line_id: str, listening: bool) -> None:
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE lines SET status = 'active', phone_number_id = id, integration_id = id, settings = settings || %s
               WHERE id = %s""",
            (Json({"end_listening": listening}), line_id),
        )
    event_listeners.tidy(pool)


def taken(pool: Pool, cipher: Cipher) -> list[ListenedTenant]:
    return event_listeners.take_due(pool, cipher, str(uuid4()), 30.0, 1)


def tenant_of(pool: Pool, line_id: str) -> str:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT tenant_id::text FROM lines WHERE id = %s", (line_id,))
        return str(cursor.fetchone()[0])


def test_one_listens_and_the_next_takes_its_channel_over(pool: Pool, line: str, cipher: Cipher) -> None:
    [first] = taken(pool, cipher)
    assert (first.line_id, first.channel) == (line, None)
    assert taken(pool, cipher) == []
    event_listeners.begin(pool, cipher, first, {"id": "c-1", "address": "wss://secret"})
    event_listeners.release(pool, first)
    [second] = taken(pool, cipher)
    assert second.channel == {"id": "c-1", "address": "wss://secret"}
    assert not event_listeners.keep(pool, first, 30.0)
    assert event_listeners.keep(pool, second, 30.0)
    event_listeners.release(pool, first, "what it finds late", 600.0)  # is not the second's
    event_listeners.release(pool, second, "gone", 0.0, forget=True)
    [third] = taken(pool, cipher)
    assert (third.channel, third.tries) == (None, 1)
    standing = event_listeners.standing(pool, third.tenant_id)
    assert standing is not None and (standing.trouble, standing.since) == ("gone", None)


def test_who_does_not_want_it_any_more_is_let_go(pool: Pool, line: str, cipher: Cipher) -> None:
    [one] = taken(pool, cipher)
    wants(pool, line, False)
    assert not event_listeners.keep(pool, one, 30.0)
    event_listeners.release(pool, one)
    event_listeners.tidy(pool)
    assert event_listeners.standing(pool, one.tenant_id) is None


def test_what_is_over_is_not_listened_for_until_its_customer_writes_again(pool: Pool, line: str) -> None:
    rows = [new_message(pool, line, "inbound") for _ in range(3)]
    names = [str(uuid4()) for _ in rows]
    with pool.autocommit() as cursor:
        for row, name in zip(rows, names, strict=True):
            cursor.execute(
                """UPDATE conversation_mappings SET genesys_conversation_id = %s, heard_at = to_timestamp(%s),
                     last_at = now() WHERE id = %s""",
                (name, NOW, row.conversation_id),
            )
            cursor.execute(
                """INSERT INTO genesys_conversations (conversation_id, genesys_conversation_id) VALUES (%s, %s)
                   ON CONFLICT DO NOTHING""",
                (row.conversation_id, name),
            )
    tenant = tenant_of(pool, line)
    assert sorted(event_listeners.conversations(pool, tenant, 10)) == sorted(names)
    assert len(event_listeners.conversations(pool, tenant, 2)) == 2
    assert ends.keep(pool, tenant, [ConversationEnd("over", names[0], NOW + 5)], NOW + 5) == 1
    assert sorted(event_listeners.conversations(pool, tenant, 10)) == sorted(names[1:])
    with pool.autocommit() as cursor:
        cursor.execute(
            "UPDATE conversation_mappings SET heard_at = to_timestamp(%s) WHERE id = %s",
            (NOW + 9, rows[0].conversation_id),
        )
    assert sorted(event_listeners.conversations(pool, tenant, 10)) == sorted(names)


class StreamOfEvents:
    """A stream that tells of these events, and then of nothing."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self._bodies = list(bodies)

    def heard(self, _deadline: float) -> Any:
        return self._bodies.pop(0) if self._bodies else None

    def close(self) -> None:
        pass


def test_what_is_heard_while_postgresql_refuses_is_written_down_when_it_takes_it(
    pool: Pool, postgres: str, line: str
) -> None:
    row, name = new_message(pool, line, "inbound"), str(uuid4())
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE conversation_mappings SET genesys_conversation_id = %s, heard_at = to_timestamp(%s)
               WHERE id = %s""",
            (name, NOW, row.conversation_id),
        )
        cursor.execute(
            "INSERT INTO genesys_conversations (conversation_id, genesys_conversation_id) VALUES (%s, %s)",
            (row.conversation_id, name),
        )
    event = {"eventTime": int((NOW + 5) * 1000), "conversationId": name, "participantId": "p-1",
             "mediaType": "MESSAGE", "messageType": "OPEN", "disconnectType": "CLIENT"}  # fmt: skip
    topic = f"v2.detail.events.conversation.{name}.customer.end"
    with Pool(postgres, size=1, statement_seconds=0.5) as own:
        parts: Any = SimpleNamespace(pool=own, channels={"genesys": create(HttpTransport(Tokens()))})
        listener = EndsListener(parts, ListenedTenant(tenant_of(pool, line), line, "claim", 0, None), None)  # type: ignore[arg-type]
        listener._stream = StreamOfEvents({"topicName": topic, "eventBody": event})
        with pool.transaction() as cursor:
            cursor.execute("LOCK TABLE conversation_ends IN ACCESS EXCLUSIVE MODE")
            listener._hear()
        assert ended(pool, row.conversation_id) == 0
        listener._hear()
        listener._hear()
    assert ended(pool, row.conversation_id) == 1


def ended(pool: Pool, conversation_id: str) -> int:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT count(*) FROM conversation_ends WHERE conversation_id = %s", (conversation_id,))
        return int(cursor.fetchone()[0])
