"""How much and how often may be asked, by whom, from which page, and what the log says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from conf.loading import load_settings
from db.access import api_keys, passwords, users
from db.audit import Author
from db.pool import Pool
from tests import log_lines
from tests.api.conftest import Api
from web.bootstrap import build_web
from web.request import limits
from web.request.limits import Limit
from web.request.web_context import WebContext

PASSWORD = "correct horse battery staple"
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "API", Limit("api", 3))
    monkeypatch.setattr(limits, "STRANGERS", Limit("stranger", 3))


def test_too_many_requests_of_one_key(api: Api, pool: Pool, new_tenant: Callable[..., str], few: None) -> None:
    made = api("POST", "/api/keys", {"name": "k", "scopes": ["audit:read"]}).get_json()["key"]
    statuses = [api("GET", "/api/audit", key=made).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = api("GET", "/api/audit", key=made)
    api.error(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert api("GET", "/api/audit").status_code == 200, "another key"


def test_too_many_guesses_from_one_address(api: Api, pool: Pool, few: None) -> None:
    statuses = [api("GET", "/api/audit", key="guess").status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert api("GET", "/api/audit").status_code == 429, "no key is looked at any more, the right one neither"


def test_an_address_over_its_limit_costs_no_further_look_up(
    api: Api, pool: Pool, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(api_keys, "by_secret", lambda _pool, secret, _root: asked.append(secret))
    statuses = [api("GET", "/api/audit", key=f"wgr_{n}").status_code for n in range(6)]
    assert statuses == [401, 401, 401, 429, 429, 429]
    assert asked == ["wgr_0", "wgr_1", "wgr_2"]


def test_machines_are_never_limited(app: Flask, api: Api, pool: Pool, few: None) -> None:
    client = app.test_client()
    for path in ("/health/live", "/metrics", "/webhook/meta", "/openapi.json"):
        assert 429 not in {client.get(path).status_code for _ in range(6)}


def test_without_redis_each_worker_counts_by_itself(
    api: Api, pool: Pool, few: None, monkeypatch: pytest.MonkeyPatch, parts: WebContext
) -> None:
    monkeypatch.setattr(parts.bucket._redis, "call", lambda command, default: default)
    parts.bucket._local.clear()
    statuses = [api("GET", "/api/audit", key="guess").status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


@pytest.fixture
def few_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing comes back for twenty seconds, however long the few log-ins take."""
    monkeypatch.setattr(limits, "LOGIN_ACCOUNT", Limit("login-account", 2))
    monkeypatch.setattr(limits, "LOGIN_ADDRESS", Limit("login-address", 3))


def log_in(app: Flask, email: str, password: str, address: str = "192.0.2.1") -> int:
    client = app.test_client()
    page = client.get("/portal/login", environ_base={"REMOTE_ADDR": address})
    token = CSRF.search(page.get_data(as_text=True))
    assert token
    form = {"csrf_token": token[1], "email": email, "password": password}
    return client.post("/portal/login", data=form, environ_base={"REMOTE_ADDR": address}).status_code


@pytest.fixture
def ada(pool: Pool) -> users.User:
    user = users.create(pool, Author("test"), None, "ada@demo.example", "Ada", "operator", "x")
    users.set_password(pool, Author("test"), user, passwords.hashed(PASSWORD), must_change=False)
    return user


def test_wrong_passwords_of_one_account_and_of_one_address(app: Flask, ada: users.User, few_guesses: None) -> None:
    assert [log_in(app, "nobody@demo.example", "x") for _ in range(3)] == [401] * 2 + [429]
    assert [log_in(app, f"nobody{n}@demo.example", "x") for n in range(2)] == [401, 429]
    assert log_in(app, ada.email, PASSWORD) == 429, "the address has tried too often"
    assert log_in(app, ada.email, PASSWORD, "192.0.2.2") == 302


def test_right_passwords_cost_nothing(app: Flask, ada: users.User) -> None:
    assert [log_in(app, ada.email, PASSWORD) for _ in range(12)] == [302] * 12


def test_the_refusal_is_a_page(app: Flask, ada: users.User, few_guesses: None) -> None:
    for _ in range(3):
        log_in(app, "nobody@demo.example", "x")
    client = app.test_client()
    token = CSRF.search(client.get("/portal/login", environ_base={"REMOTE_ADDR": "192.0.2.1"}).get_data(as_text=True))
    form = {"csrf_token": token[1] if token else "", "email": "nobody@demo.example", "password": "x"}
    answer = client.post("/portal/login", data=form, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert answer.status_code == 429
    assert "<h1" in answer.get_data(as_text=True)


def test_a_large_body_is_refused_unless_it_is_a_webhook(app: Flask, api: Api, new_tenant: Callable[..., str]) -> None:
    api.error(api("POST", "/api/tenants", {"name": "x" * 300_000}), 413, "too_large")
    headers = {"Authorization": f"Bearer {api._key}", "Content-Type": "application/json", "Idempotency-Key": "k"}
    assert app.test_client().post("/api/tenants", data=b"x" * 300_000, headers=headers).status_code == 413
    assert app.test_client().post("/webhook/meta", data=b"x" * 300_000).status_code == 401


@pytest.fixture
def open_app(settings_env: dict[str, str], parts: WebContext) -> Iterator[Flask]:
    """The same installation with CORS_ORIGINS and a proxy in front."""
    env = settings_env | {"CORS_ORIGINS": "https://tools.example, http://localhost:3000", "TRUSTED_PROXIES": "1"}
    made = build_web(load_settings(env))
    yield made
    own: WebContext = made.extensions["relay"]
    own.close()


def preflight(app: Flask, path: str, origin: str) -> dict[str, str]:
    asked = {"Method": "POST", "Headers": "Authorization"}
    headers = {"Origin": origin} | {f"Access-Control-Request-{name}": value for name, value in asked.items()}
    return dict(app.test_client().options(path, headers=headers).headers)


def test_pages_of_named_origins_may_ask_the_api(open_app: Flask, api: Api) -> None:
    told = preflight(open_app, "/api/tenants", "https://tools.example")
    assert told["Access-Control-Allow-Origin"] == "https://tools.example"
    assert "Authorization" in told["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in told
    asked = {"Origin": "https://tools.example", "Authorization": f"Bearer {api._key}"}
    answer = open_app.test_client().get("/api/tenants", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://tools.example"
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in preflight(open_app, "/api/tenants", "https://evil.example")
    for path in ("/portal/login", "/webhook/meta", "/health/live"):
        assert "Access-Control-Allow-Origin" not in preflight(open_app, path, "https://tools.example"), path


def test_without_the_setting_no_page_may(app: Flask, pool: Pool) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(app, "/api/tenants", "https://tools.example")


def test_only_a_proxy_of_ours_says_who_asks(
    app: Flask, open_app: Flask, ada: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STRANGERS", Limit("stranger", 2))

    def guess(app: Flask, address: str) -> int:
        return app.test_client().get("/api/audit", headers={"X-Forwarded-For": address}).status_code

    assert [guess(open_app, f"198.51.100.{n}") for n in range(4)] == [401] * 4
    assert [guess(app, f"203.0.113.{n}") for n in range(4)] == [401, 401, 429, 429]


def test_the_log_says_who_and_how_long_and_no_more(api: Api, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    person = {"email": "secret@x.example", "name": "Hidden", "role": "viewer"}
    with log_lines.captured() as lines:
        api("GET", "/api/messages?q=49151999&limit=5", X_Tenant_ID=tenant_id)
        api("POST", f"/api/tenants/{tenant_id}/users", person)
    told = [one for one in lines if one["event"] == "request"]
    assert [(one["rule"], one["status"], one["principal"]) for one in told] == [
        ("/api/messages", 200, "admin-key"),
        ("/api/tenants/<uuid:tenant_id>/users", 201, "admin-key"),
    ]
    assert all(one["seconds"] >= 0 and one["request_id"] for one in told)
    assert not [word for word in ("49151999", "secret@", "Hidden", tenant_id) if word in str(told)]
