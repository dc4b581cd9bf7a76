"""Web on real services, with tenants and lines; and what its webhooks left at the broker."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from conf.loading import load_settings
from db.audit import Author
from db.tenants import credentials, onboarding, registry
from db.tenants.changes import Changes
from relay.broker.consumer import Consumer, Delivery
from relay.broker.updates import unpacked
from relay.core.messages import Update, load
from relay.core.queues import WEBHOOK_ARCHIVE
from tests.waiting import wait_until
from web.bootstrap import build_web
from web.request.web_context import WebContext

BY = Author("test")
APP_SECRET = "demo-app-secret-nordwind-0001"


@dataclass(frozen=True)
class Line:
    """A tenant's active line, and the keys of its webhook addresses."""

    tenant_id: str
    line_id: str
    phone_number_id: str
    integration_id: str
    line_key: str
    tenant_key: str
    app_secret: str
    webhook_secret: str


@dataclass
class Arrivals:
    """Everything that reaches the intake queues and the archive's queue."""

    consumer: Consumer
    shards: int
    updates: list[Update] = field(default_factory=list)
    headers: list[dict[str, Any]] = field(default_factory=list)
    archived: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)

    def start(self) -> None:
        self.consumer.start()
        for number in range(self.shards):
            self.consumer.open(number, self._update)
        self.consumer.consume(WEBHOOK_ARCHIVE, self._archived, 100)
        wait_until(lambda: self.consumer.connected, message="the consumer")

    def of(self, line: Line, count: int) -> list[Update]:
        """This line's updates, in the order of their places in the webhook, once there are `count`."""
        wait_until(lambda: len(self._of(line)) >= count, message=f"{count} updates of the line")
        return sorted(self._of(line), key=lambda one: (one.arrived_at, one.index))

    def none_of(self, line: Line) -> bool:
        """For after a webhook that was answered: what it published is confirmed, so it is in the queues."""
        wait_until(lambda: not any(self.consumer.depth(n) for n in range(self.shards)), message="the queues to be read")
        return not self._of(line)

    def archive_of(self, marker: bytes) -> tuple[dict[str, Any], bytes]:
        found = wait_until(lambda: [one for one in self.archived if marker in one[1]], message="the archived body")
        return found[-1]

    def _of(self, line: Line) -> list[Update]:
        return [one for one in self.updates if one.line_id == line.line_id]

    def _update(self, delivery: Delivery) -> None:
        self.updates += [load(Update, one) for one in unpacked(delivery.body)]
        self.headers.append(delivery.headers)
        self.consumer.ack(delivery.shard, [delivery])

    def _archived(self, delivery: Delivery) -> None:
        about, _, raw = delivery.body.partition(b"\n")
        self.archived.append((json.loads(about), raw))
        self.consumer.ack(delivery.shard, [delivery])


@dataclass
class World:
    app: Flask
    arrivals: Arrivals

    @property
    def parts(self) -> WebContext:
        found: WebContext = self.app.extensions["relay"]
        return found

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def line(self, *, own_app: bool = False, active: bool = True) -> Line:
        """A new tenant with one line."""
        parts = self.parts
        changes = Changes(parts.pool, parts.cache.forget_routes)
        phone, integration = str(10**14 + secrets.randbelow(10**14)), _uuid()
        app_secret, webhook_secret = f"app-{secrets.token_hex(8)}", f"hook-{secrets.token_hex(8)}"
        tenant = registry.create(changes, BY, f"Tenant {phone}")
        whatsapp = {"phone_number_id": phone, "waba_id": "1", "access_token": "token"}
        if own_app:
            whatsapp |= {"app_secret": app_secret, "verify_token": f"verify-{phone}"}
        genesys = {"region": "mypurecloud.de", "client_id": "c", "client_secret": "s", "integration_id": integration}
        credentials.put(changes, parts.cipher, BY, tenant.id, "whatsapp", whatsapp)
        credentials.put(changes, parts.cipher, BY, tenant.id, "genesys", genesys | {"webhook_secret": webhook_secret})
        line = onboarding.create(changes, parts.cipher, BY, tenant.id, phone, integration)
        if active:
            onboarding.activate(changes, BY, tenant.id, [line.pair])
        own = app_secret if own_app else APP_SECRET
        return Line(tenant.id, line.id, phone, integration, line.webhook_key, tenant.webhook_key, own, webhook_secret)

    def meta(self, body: Any, secret: str = APP_SECRET, path: str = "/webhook/meta") -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, data=raw, headers=meta_signature(raw, secret))

    def genesys(self, body: Any, secret: str, path: str = "/webhook/genesys") -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, data=raw, headers=genesys_signature(raw, secret))

    def rows(self, query: str, *values: Any) -> list[Any]:
        with self.parts.pool.autocommit() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def unknown(self, ref: str) -> list[Any]:
        return self.rows("SELECT payload, reason FROM unknown_lines WHERE line_ref = %s ORDER BY id", ref)

    def audited(self, ref: str) -> list[Any]:
        query = "SELECT tenant_id::text, detail FROM audit_log WHERE action = 'webhook.items_dropped' AND subject = %s"
        return self.rows(query, ref)


def json_of(answer: TestResponse) -> Any:
    return json.loads(answer.text)


def build(env: Mapping[str, str]) -> World:
    settings = load_settings(env)
    app = build_web(settings)
    parts: WebContext = app.extensions["relay"]
    wait_until(lambda: parts.publisher.connected and parts.preparation.done, message="web to be ready")
    return World(app, Arrivals(Consumer(settings.broker_url, settings.relay_shards, 500), settings.relay_shards))


def close(world: World) -> None:
    world.parts.close()


def meta_signature(raw: bytes, secret: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def genesys_signature(raw: bytes, secret: str) -> dict[str, str]:
    digest = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def text(body: str, sender: str = "491701234567") -> dict[str, Any]:
    return {"id": f"wamid.{secrets.token_hex(8)}", "from": sender, "timestamp": "1764000000", "type": "text",
            "text": {"body": body}}  # fmt: skip


def status(wamid: str, recipient: str = "491701234567") -> dict[str, Any]:
    return {"id": wamid, "status": "delivered", "timestamp": "1764000000", "recipient_id": recipient}


def change(phone_number_id: str, *messages: dict[str, Any], **others: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550001111", "phone_number_id": phone_number_id}
    value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": metadata, **others}
    if messages:
        value["messages"] = list(messages)
    return {"field": "messages", "value": value}


def envelope(*changes: dict[str, Any]) -> dict[str, Any]:
    entries = [{"id": "waba", "changes": [one]} for one in changes]
    return {"object": "whatsapp_business_account", "entry": entries}


def agent_text(integration_id: str, body: str, to: str = "491701234567") -> dict[str, Any]:
    message_id = secrets.token_hex(16)
    return {
        "id": message_id,
        "channel": {
            "id": integration_id,
            "platform": "Open",
            "type": "Private",
            "to": {"id": to, "idType": "Opaque"},
            "from": {"id": integration_id, "idType": "Opaque", "nickname": "Relay"},
            "time": "2026-11-23T10:00:00.000Z",
            "messageId": message_id,
        },
        "type": "Text",
        "text": body,
        "originatingEntity": "Human",
        "direction": "Outbound",
        "conversationId": _uuid(),
    }


def _uuid() -> str:
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Unread(io.BytesIO):
    """A request's body that counts who asks for it."""

    read_calls = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.read_calls += 1
        return super().read(size)
