"""Keys and tokens cannot be guessed at speed: what is guessed too often is not looked at, the right one neither."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import gevent
import pytest
from flask import Flask

from db.pool import Pool
from tests.api.conftest import META_SECRET, Api
from tests.api.test_rotation import active_line
from tests.waiting import PATIENCE
from web.api.access import auth
from web.request import limits
from web.request.limits import Limit
from web.request.principal import Principal
from web.request.web_context import WebContext

RIGHT_TOKEN = "a-verify-token-of-the-platform"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing comes back for a while, however long the few requests take."""
    for name in ("STRANGERS", "WEBHOOK_KEYS", "VERIFY_TOKENS"):
        monkeypatch.setattr(limits, name, Limit(getattr(limits, name).name, 3))


def asked(app: Flask, key: str, address: str = "127.0.0.1") -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return app.test_client().get("/api/audit", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code


@pytest.mark.usefixtures("pool", "few")
def test_the_right_admin_key_is_not_found_by_going_through_many(app: Flask, api: Api) -> None:
    assert [asked(app, f"guess-{n}") for n in range(5)] == [401] * 3 + [429] * 2
    refused = api("GET", "/api/audit")
    api.error(refused, 429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert asked(app, api._key, "192.0.2.1") == 200, "somebody else's address"


@pytest.mark.usefixtures("pool", "few")
def test_guesses_at_the_same_moment_get_no_further(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    compared, real = list[str](), auth._operator

    def watched(key: str) -> Principal | None:
        compared.append(key)
        return real(key)

    monkeypatch.setattr(auth, "_operator", watched)
    running = [gevent.spawn(asked, app, f"guess-{n}") for n in range(60)]
    gevent.joinall(running, timeout=PATIENCE, raise_error=True)
    assert len(compared) == 3
    assert sorted(one.value for one in running) == [401] * 3 + [429] * 57


@pytest.mark.usefixtures("pool", "few")
def test_a_key_is_not_guessed_from_the_many_addresses_of_one_ipv6_network(app: Flask, api: Api) -> None:
    assert [asked(app, "guess", f"2001:db8:0:7::{n}") for n in range(1, 5)] == [401] * 3 + [429]
    assert asked(app, api._key, "2001:db8:0:7:ffff::1") == 429
    assert asked(app, api._key, "2001:db8:0:8::1") == 200
    assert [asked(app, "guess", one) for one in ("192.0.2.9", "::ffff:192.0.2.9", "::ffff:c000:209")] == [401] * 3
    assert asked(app, "guess", "192.0.2.9") == 429


@pytest.mark.usefixtures("pool", "few")
def test_nor_while_redis_is_away(app: Flask, api: Api, parts: WebContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.bucket._redis, "call", lambda command, default: default)
    assert [asked(app, f"guess-{n}") for n in range(4)] == [401] * 3 + [429]
    assert asked(app, api._key) == 429


def signed(app: Flask, path: str, body: Any) -> int:
    raw = json.dumps(body).encode()
    headers = {"X-Hub-Signature-256": "sha256=" + hmac.new(META_SECRET.encode(), raw, hashlib.sha256).hexdigest()}
    return app.test_client().post(path, data=raw, headers=headers).status_code


@pytest.mark.usefixtures("few")
def test_webhook_addresses_are_not_found_by_going_through_many_and_those_there_are_stay_open(
    app: Flask, api: Api, pool: Pool, parts: WebContext, new_tenant: Callable[..., str]
) -> None:
    tenant_id = new_tenant()
    active_line(parts, pool, tenant_id)
    urls = api("GET", f"/api/tenants/{tenant_id}/lines").get_json()["items"][0]["webhook_urls"]
    path = urlsplit(urls["meta"]).path
    empty = {"object": "whatsapp_business_account", "entry": []}
    assert signed(app, path, empty) == 200
    assert [signed(app, f"/webhook/meta/guess-{n}", empty) for n in range(5)] == [404] * 3 + [429] * 2
    assert [signed(app, f"/webhook/genesys/guess-{n}", empty) for n in range(2)] == [429] * 2
    # A provider calls all tenants from the same addresses: who calls wrongly silences nobody.
    assert signed(app, path, empty) == 200
    parts.lines._known.clear()
    assert signed(app, path, empty) == 200, "known through Redis"
    parts.lines._known.clear()
    parts.cache.forget_routes([("tenant-key", path.rpartition("/")[2])])
    assert signed(app, path, empty) == 200, "known to PostgreSQL only: of somebody new, or after a change"


@pytest.mark.usefixtures("pool", "few")
def test_the_verify_token_is_not_found_by_going_through_many(
    app: Flask, parts: WebContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(parts, "meta_verify_token", RIGHT_TOKEN)

    def shake(token: str, address: str = "127.0.0.1") -> int:
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "42"}
        client = app.test_client()
        return client.get("/webhook/meta", query_string=query, environ_base={"REMOTE_ADDR": address}).status_code

    assert [shake(f"guess-{n}") for n in range(5)] == [403] * 3 + [429] * 2
    assert shake(RIGHT_TOKEN) == 429
    assert shake(RIGHT_TOKEN, "192.0.2.1") == 200
