"""A whole installation for the flow tests: real servers, sandbox, gunicorn and daemon, and tenants on it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import gevent
import psycopg2
import psycopg2.extras
import requests
from kombu import Connection
from minio import Minio

from demo.stack.ports import free_port
from tests import processes
from tests.processes import Process
from tests.waiting import wait_until

SECONDS = 30
FAST = {"GENESYS_RATE_PER_MINUTE": "60000", "WHATSAPP_RATE_PER_SECOND": "1000"}
"""The providers' real limits would make a thousand messages last for minutes; tests of limits set their own."""


@dataclass(frozen=True)
class Line:
    """One WhatsApp number paired with one Genesys integration, onboarded and connected on both sides."""

    id: str
    tenant_id: str
    phone_number_id: str
    integration_id: str


class Installation:
    """`start()` brings everything up; every call must succeed, or the test fails with the answer's text."""

    def __init__(self, env: dict[str, str], logs: Path) -> None:
        self.env = env
        self.logs = logs
        self.sandbox = processes.sandbox(env, logs)
        self.web = processes.web(env, logs, workers=2)
        self.daemon = processes.relay(env, logs)
        self._processes = (self.sandbox, self.web, self.daemon)
        self._daemons = 1

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        for process in self._processes:
            process.start()
        for process in self._processes:
            process.wait_ready()

    def stop(self) -> None:
        """Side by side: web waits for kept connections, and the sandbox, which keeps many, is going as well."""
        stopping = [gevent.spawn(process.stop) for process in self._processes]
        gevent.joinall(stopping)
        for one in stopping:
            one.get()

    @contextmanager
    def without_daemon(self) -> Iterator[None]:
        """Stopped as an operator would; whatever happens meanwhile, it runs again afterwards."""
        self.daemon.stop()
        try:
            yield
        finally:
            self.daemon.start()
            self.daemon.wait_ready()

    def another_daemon(self) -> Process:
        """A further daemon on the same database and broker; the caller stops it."""
        self._daemons += 1
        env = {**self.env, "METRICS_PORT": str(free_port())}
        return processes.relay(env, self.logs, f"relay-{self._daemons}")

    # The two providers

    def control(self, method: str, path: str, body: Any = None) -> Any:
        return self._call(method, f"http://127.0.0.1:{self.env['SANDBOX_PORT']}/control{path}", body)

    @contextmanager
    def faults(self, side: str, **settings: Any) -> Iterator[None]:
        """Trouble at one provider ("meta", "genesys"), gone afterwards."""
        self.control("POST", "/faults", {side: settings})
        try:
            yield
        finally:
            self.control("POST", "/faults", {side: None})

    def phone_sends(self, **message: Any) -> str:
        return str(self.control("POST", "/phone/messages", message)["id"])

    def agent_sends(self, **message: Any) -> str:
        return str(self.control("POST", "/agent/messages", message)["id"])

    def phone_shows(self, wa_id: str, line: Line, direction: str = "outbound") -> list[dict[str, Any]]:
        answer = self.control("GET", f"/phone/{wa_id}/messages?to={line.phone_number_id}&limit=1000")
        return [one for one in answer["messages"] if one["direction"] == direction]

    def agent_sees(self, contact: str, line: Line, direction: str = "inbound") -> list[dict[str, Any]]:
        answer = self.control("GET", f"/agent/{contact}/messages?integration_id={line.integration_id}&limit=1000")
        return [one for one in answer["messages"] if one["direction"] == direction]

    # The relay's API

    def api(self, method: str, path: str, body: Any = None, tenant: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.env['ADMIN_API_KEY']}"}
        if tenant is not None:
            headers["X-Tenant-ID"] = tenant
        return self._call(method, self.env["PUBLIC_URL"] + path, body, headers)

    def tenant(self, name: str, lines: int = 1, settings: dict[str, Any] | None = None) -> list[Line]:
        """A tenant with its own Meta app, Genesys client and `lines` lines, onboarded as an admin would."""
        secret, waba, client = f"secret-{secrets.token_hex(12)}", _digits(), secrets.token_hex(8)
        accounts = [self.accounts(name, secret, waba, client) for _ in range(lines)]
        for account in accounts:
            self.control("POST", "/accounts", account)
        tenant_id = self.api("POST", "/api/tenants", {"name": name})["id"]
        first = accounts[0]
        self.api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", whatsapp_credentials(first["whatsapp"]))
        self.api("PUT", f"/api/tenants/{tenant_id}/genesys/credentials", genesys_credentials(first["genesys"]))
        for account in accounts:
            self.api("POST", f"/api/tenants/{tenant_id}/lines", {**_pair(account), "settings": settings or {}})
        done = self.api("POST", f"/api/tenants/{tenant_id}/complete-onboarding")
        return [self.connect(tenant_id, account, done["lines"]) for account in accounts]

    def connect(self, tenant_id: str, account: dict[str, Any], lines: Sequence[dict[str, Any]]) -> Line:
        phone, integration = account["whatsapp"]["phone_number_id"], account["genesys"]["integration_id"]
        line = next(one for one in lines if one["phone_number_id"] == phone)
        urls = line["webhook_urls"]
        self.control(
            "POST",
            "/accounts",
            {
                "whatsapp": {
                    "phone_number_id": phone,
                    "callback_url": urls["meta"],
                    "verify_token": account["whatsapp"]["verify_token"],
                    "handshake": True,
                },
                "genesys": {"integration_id": integration, "webhook_url": urls["genesys"]},
            },
        )
        return Line(line["id"], tenant_id, phone, integration)

    @staticmethod
    def accounts(name: str, secret: str, waba: str, client: str) -> dict[str, Any]:
        whatsapp = {
            "app_id": waba[::-1], "app_secret": secret, "waba_id": waba, "phone_number_id": _digits(),
            "display_phone_number": f"+49 30 {_digits()[:7]}", "verified_name": name, "access_token": f"EAAG-{secret}",
            "verify_token": f"verify-{waba}",
        }  # fmt: skip
        genesys = {
            "client_id": client, "client_secret": f"client-{secret}", "integration_id": secrets.token_hex(16),
            "webhook_secret": f"webhook-{secret}", "organisation": name,
        }  # fmt: skip
        return {"whatsapp": whatsapp, "genesys": genesys}

    # The database

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        connection = psycopg2.connect(self.env["DATABASE_URL"])
        try:
            with connection, connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(sql, values)
                return [dict(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def row(self, source_id: str) -> dict[str, Any]:
        """The message's row in message_tracking; {} while there is none."""
        found = self.rows("SELECT * FROM message_tracking WHERE source_id = %s", source_id)
        return found[0] if found else {}

    # The broker and the object store

    def queued(self, exchange: str) -> list[dict[str, Any]]:
        """The updates that wait in the exchange's queues, with their messages' headers; they stay there."""
        waiting: list[Any] = []

        with Connection(self.env["BROKER_URL"]) as connection:
            channel = connection.channel()
            queues = [f"{exchange}.{number}" for number in range(int(self.env["RELAY_SHARDS"]))]
            total = sum(channel.queue_declare(queue, passive=True).message_count for queue in queues)
            for queue in queues:
                channel.basic_consume(queue, callback=waiting.append)
            while len(waiting) < total:
                connection.drain_events(timeout=SECONDS)
            channel.close()  # what was not acked goes back
        return [
            {"headers": one.headers, **json.loads(item)} for one in waiting for item in bytes(one.body).split(b"\n")
        ]

    def dead_letters(self) -> int:
        """Updates that were set aside because nobody could take them in."""
        with Connection(self.env["BROKER_URL"]) as connection:
            return int(connection.channel().queue_declare("DEAD_LETTERS", passive=True).message_count)

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Everything in a bucket, by key."""
        client = Minio(
            self.env["MINIO_ENDPOINT"], self.env["MINIO_ACCESS_KEY"], self.env["MINIO_SECRET_KEY"], secure=False
        )
        keys = [str(one.object_name) for one in client.list_objects(bucket, prefix, recursive=True)]
        return {key: client.get_object(bucket, key).read() for key in keys}

    def wait_for(self, source_id: str, *states: str) -> None:
        """Until the message is in one of these states."""
        wait_until(lambda: self.state(source_id) in states, SECONDS, f"{source_id} to be {' or '.join(states)}")

    def state(self, source_id: str) -> str | None:
        found = self.rows("SELECT state FROM message_tracking WHERE source_id = %s", source_id)
        return found[0]["state"] if found else None

    @staticmethod
    def _call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        answer = requests.request(method, url, json=body, headers=headers, timeout=SECONDS)
        assert answer.ok, f"{method} {url} was answered {answer.status_code}: {answer.text[:500]}"
        return answer.json()


def _digits() -> str:
    return str(secrets.randbelow(9 * 10**14) + 10**14)


def whatsapp_credentials(account: dict[str, Any]) -> dict[str, Any]:
    names = ("phone_number_id", "waba_id", "access_token", "app_secret", "verify_token")
    return {name: account[name] for name in names}


def genesys_credentials(account: dict[str, Any]) -> dict[str, Any]:
    names = ("client_id", "client_secret", "integration_id", "webhook_secret")
    return {"region": "mypurecloud.de"} | {name: account[name] for name in names}


def _pair(account: dict[str, Any]) -> dict[str, Any]:
    return {
        "phone_number_id": account["whatsapp"]["phone_number_id"],
        "integration_id": account["genesys"]["integration_id"],
        "webhook_secret": account["genesys"]["webhook_secret"],
    }
