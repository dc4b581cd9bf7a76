"""A tenant with an endpoint, what happens to its messages, and a server that takes it or not."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from standardwebhooks.webhooks import Webhook

from db.audit import Author
from db.endpoints import registry
from db.endpoints.registry import TenantEndpoint
from db.pool import Pool
from db.sealing import Cipher
from relay.actors.endpoints import EndpointsActor
from relay.channels.webhooks.client import WebhookClient
from relay.channels.webhooks.signing import new_secret
from relay.core.endpoints.kinds import KINDS
from relay.runtime.timers import Timers
from tests.integration.rows import new_line, new_message
from tests.unit.relay.channels.accounts import Tokens
from tests.unit.relay.channels.servers import Asked, Served, answer, reset, serving

BY = Author("somebody")
CIPHER = Cipher([Fernet.generate_key().decode()])


class EndpointWorld:
    """`told` is what the endpoint has taken, in order, repeats included: (event id, body)."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.line_id = new_line(pool)
        self.tenant_id = str(self.rows("SELECT tenant_id FROM lines WHERE id = %s", UUID(self.line_id))[0][0])
        self.secret = new_secret()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.posts = 0

    def endpoint(self, url: str, **values: Any) -> TenantEndpoint:
        wanted: dict[str, Any] = {"name": "", "kinds": list(KINDS), "contents": False} | values
        return registry.create(self.pool, CIPHER, BY, self.tenant_id, self.secret, url=url, **wanted)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with self.pool.transaction() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    def happen(self, conversations: int, messages: int = 1) -> int:
        """Messages are received, sent, delivered and read. Returns how many events that are."""
        for _ in range(conversations):
            first = new_message(self.pool, self.line_id)
            self.rows(
                """INSERT INTO message_tracking (id, tenant_id, line_id, conversation_id, shard, direction, source_id,
                     type, content, sort_time, arrived_at, idx, provider_time, state, events_wanted)
                   SELECT gen_random_uuid(), tenant_id, line_id, conversation_id, shard, direction, source_id || n,
                          type, content, sort_time, arrived_at, n, provider_time, state, events_wanted
                   FROM message_tracking, generate_series(2, %s) n WHERE id = %s""",
                messages,
                UUID(first.id),
            )
        moved = "UPDATE message_tracking SET state = %s WHERE conversation_id = %s"
        for (conversation,) in self.rows(
            "SELECT DISTINCT conversation_id FROM message_tracking WHERE line_id = %s", UUID(self.line_id)
        ):
            for state in ("sending", "sent", "delivered", "read"):
                self.rows(moved, state, conversation)
        return conversations * messages * 4

    def takes(self, asked: Asked) -> None:
        """Verified as its receiver would."""
        body = Webhook(self.secret).verify(asked.body, asked.headers)
        self.told.append((asked.headers["webhook-id"], body))

    def handler(self, served: Served, sock: socket.socket, asked: Asked) -> bool:
        self.posts += 1
        self.takes(asked)
        return answer(sock, b"", 204)

    def half(self, seed: int) -> Any:
        """Every other post fails: refused, throttled, or taken and its answer lost."""
        chance = random.Random(seed)

        def handle(served: Served, sock: socket.socket, asked: Asked) -> bool:
            how = chance.random()
            self.posts += 1
            if how < 0.3:
                return answer(sock, b"not now", 500)
            if how < 0.4:
                return answer(sock, b"", 404)
            self.takes(asked)
            return reset(sock) if how < 0.5 else answer(sock, b"", 204)

        return handle

    def states(self) -> dict[str, int]:
        return dict(
            self.rows(
                "SELECT state, count(*) FROM endpoint_events WHERE tenant_id = %s GROUP BY 1", UUID(self.tenant_id)
            )
        )

    def lanes(self) -> dict[Any, list[str]]:
        """What had to be told, lane by lane."""
        found: dict[Any, list[str]] = {}
        for lane, event_id in self.rows(
            "SELECT lane, 'evt_' || id FROM endpoint_events WHERE tenant_id = %s ORDER BY seq", UUID(self.tenant_id)
        ):
            found.setdefault(lane, []).append(event_id)
        return found

    def assert_all_in_order(self) -> None:
        """Each lane was told completely and in order; repeats only before its next."""
        lanes = self.lanes()
        lane_of = {event_id: lane for lane, ids in lanes.items() for event_id in ids}
        told: dict[Any, list[str]] = {}
        for event_id, _ in self.told:
            one = told.setdefault(lane_of[event_id], [])
            if not one or one[-1] != event_id:
                one.append(event_id)
        assert told == lanes


@contextmanager
def telling(pool: Pool, url: str) -> Iterator[None]:
    """A daemon's EndpointsActor at work; all tenants that are there may reach this server."""
    timers = Timers()
    timers.start(lambda error: None)
    with pool.autocommit() as cursor:
        cursor.execute("SELECT id::text FROM tenants")
        webhooks = WebhookClient(Tokens(), {row[0]: [url] for row in cursor.fetchall()}, 5)
    parts: Any = SimpleNamespace(pool=pool, cipher=CIPHER, timers=timers, webhooks=webhooks)
    actor = EndpointsActor.start(parts)
    try:
        yield
    finally:
        actor.stop()
        timers.stop()
        webhooks.close()


__all__ = ["BY", "CIPHER", "EndpointWorld", "serving", "telling"]
