"""Both channels beside the sandbox that they call, in one process, and the webhooks that it sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import requests
from gevent.server import StreamServer

from demo.stack.ports import HOST, free_port
from relay.channels import load
from relay.channels.base import Account, Channel, History
from relay.channels.http.client import HttpTransport
from relay.core.messages import Recipient
from sandbox.app import create_app
from sandbox.server import server
from tests.unit.relay.channels.accounts import Tokens
from tests.unit.relay.channels.servers import answer, read_request
from tests.waiting import PATIENCE, wait_until

PHONE = "4915112345678"
CONTACT = "c0ffee00-0000-4000-8000-000000000009"
TO = Recipient(CONTACT, wa_id=PHONE, name="Ada Brandt")


@dataclass
class Relay:
    """Both channels, the sandbox they call, and the webhooks that it sent."""

    url: str
    meta: Channel
    genesys: Channel
    number: Account
    integration: Account
    hooks: list[tuple[str, bytes, str | None]] = field(default_factory=list)

    @property
    def history(self) -> History:
        """What Genesys tells afterwards."""
        assert self.genesys.history is not None
        return self.genesys.history

    def control(self, path: str, **body: Any) -> Any:
        method = "POST" if body else "GET"
        found = requests.request(method, f"{self.url}/control/{path}", json=body or None, timeout=PATIENCE)
        assert found.ok, found.text
        return found.json()

    def events(self, name: str, kind: type) -> list[Any]:
        """What the channel made of the webhooks so far; each of them is rightly signed."""
        channel = self.meta if name == "meta" else self.genesys
        secret = (
            self.number.credentials["app_secret"] if name == "meta" else self.integration.credentials["webhook_secret"]
        )
        found = []
        for side, raw, signature in self.hooks:
            if side == name:
                assert channel.verify(secret, raw, signature)
                parts = list(channel.split(orjson.loads(raw)))
                found += [event for part in parts for event in channel.parse(part.payload)]
        return [event for event in found if isinstance(event, kind)]

    def event(self, name: str, kind: type, at_least: int = 1) -> Any:
        """The newest event of that kind, as soon as there are enough."""
        wait_until(lambda: len(self.events(name, kind)) >= at_least, message=f"{at_least} {kind.__name__} of {name}")
        return self.events(name, kind)[-1]


@pytest.fixture
def relay() -> Iterator[Relay]:
    hooks: list[tuple[str, bytes, str | None]] = []

    def hooked(sock: Any, _: Any) -> None:
        while (asked := read_request(sock)) is not None:
            hooks.append((asked.path.strip("/"), asked.body, asked.headers.get("x-hub-signature-256")))
            answer(sock, b"")

    hook = StreamServer(("127.0.0.1", 0), hooked)
    hook.start()
    port = free_port()
    url = f"http://{HOST}:{port}"
    sandbox = server(create_app(url), HOST, port)
    sandbox.start()
    try:
        yield _connected(url, f"http://127.0.0.1:{hook.server_port}", hooks)
    finally:
        sandbox.stop()
        hook.stop()


def _connected(url: str, hook: str, hooks: list[tuple[str, bytes, str | None]]) -> Relay:
    transport = HttpTransport(Tokens(), url + "/graph", "v25.0", url + "/genesys/login", url + "/genesys/api")
    accounts = requests.get(url + "/control/accounts", timeout=PATIENCE).json()
    meta, genesys = accounts["whatsapp"][0], accounts["genesys"][0]
    meta["callback_url"], genesys["webhook_url"] = hook + "/meta", hook + "/genesys"
    keep = ("app_id", "app_secret", "waba_id", "phone_number_id", "access_token", "callback_url", "verify_token")
    wanted = ("client_id", "client_secret", "integration_id", "webhook_url", "webhook_secret")
    body = {"whatsapp": {key: meta[key] for key in keep}, "genesys": {key: genesys[key] for key in wanted}}
    assert requests.post(url + "/control/accounts", json=body, timeout=PATIENCE).ok
    number = Account("t", "l", meta["phone_number_id"], {key: meta[key] or "" for key in keep})
    credentials = {"region": "mypurecloud.de", **{key: genesys[key] or "" for key in wanted}}
    integration = Account("t", "l", genesys["integration_id"], credentials)
    return Relay(url, load("whatsapp", transport), load("genesys", transport), number, integration, hooks)


def soon() -> float:
    return time.monotonic() + PATIENCE
