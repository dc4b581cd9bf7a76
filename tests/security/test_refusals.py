"""No refusal goes unseen, and nobody fills the audit log by being refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from db.access import api_keys, passwords, users
from db.audit import Author
from db.pool import DatabaseError, Pool
from db.views import audit_search
from db.views.audit_search import AuditEntry, AuditSearch
from tests.api.conftest import Api
from web.request import limits, refusals
from web.request.limits import Limit
from web.request.throttle import RepeatCounter
from web.request.web_context import WebContext

PASSWORD = "correct horse battery staple"
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"')


@pytest.fixture(autouse=True)
def nobody_was_refused(parts: WebContext, pool: Pool) -> None:
    object.__setattr__(parts, "refusals", RepeatCounter(600.0, remembered=10_000))


def noted(pool: Pool, action: str, tenant_id: str | None = None) -> list[AuditEntry]:
    """The newest first."""
    return [one for one in audit_search.listed(pool, AuditSearch(tenant_id)).items if one.action == action]


def asked(app: Flask, key: str, address: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return app.test_client().get("/api/audit", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code


def log_in(app: Flask, email: str, password: str) -> int:
    client = app.test_client()
    token = "".join(CSRF.findall(client.get("/portal/login").get_data(as_text=True))[0])
    form = {"csrf_token": token, "email": email, "password": password}
    return client.post("/portal/login", data=form).status_code


def test_a_refused_key_does_not_go_unseen(app: Flask, pool: Pool) -> None:
    assert asked(app, "wgr_a-secret-that-nobody-has", "192.0.2.1") == 401
    assert asked(app, "wgr_another", "192.0.2.1") == 401
    [line] = noted(pool, "key.refused")
    assert (line.actor, line.detail["address"], line.detail["times"]) == ("somebody", "192.0.2.1", 1)
    assert "a-secret-that-nobody-has" not in str(line)


def test_those_between_are_told_with_the_next_line(parts: WebContext, pool: Pool, app: Flask) -> None:
    object.__setattr__(parts, "refusals", untold := RepeatCounter(600.0, remembered=10_000))
    assert [asked(app, "x", "192.0.2.1") for _ in range(4)] == [401] * 4
    untold._once = type(untold._once)(600.0)  # ten minutes later
    assert asked(app, "x", "192.0.2.1") == 401
    assert [line.detail["times"] for line in noted(pool, "key.refused")] == [4, 1]


def test_a_refused_log_in_is_told_to_its_tenant_and_what_was_typed_to_nobody(
    app: Flask, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    tenant_id = new_tenant()
    ada = users.create(pool, Author("test"), tenant_id, "ada@x.example", "Ada", "admin", passwords.hashed(PASSWORD))
    assert log_in(app, ada.email, "guess-4711") == 401
    assert log_in(app, "my-password-by-mistake@x.example", "guess-4711") == 401
    own, unknown = noted(pool, "login.refused", tenant_id), noted(pool, "login.refused")
    assert [(line.subject, line.detail["what"]) for line in own] == [(ada.id, "password")]
    assert len(unknown) == 2, "the operator sees both"
    assert "4711" not in str(unknown)
    assert "my-password" not in str(unknown)


def test_asking_for_what_is_anothers_does_not_go_unseen(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    one, other = new_tenant("One"), new_tenant("Other")
    key, secret = api_keys.create(pool, Author("test"), one, "curious", ["messages:read"], None)
    assert api("GET", f"/api/tenants/{other}/audit", key=secret).status_code == 403
    assert api("GET", "/api/messages", key=secret, X_Tenant_ID=other).status_code == 404
    assert api("GET", "/api/messages", key=secret).status_code == 200
    lines = noted(pool, "access.denied", one)
    assert [(line.detail["status"], line.detail.get("asked_for")) for line in lines] == [
        (404, f"tenant {other}"),
        (403, None),
    ]
    assert {line.subject for line in lines} == {f"key:{key.id}"}
    assert noted(pool, "access.denied", other) == []


def test_strangers_do_not_fill_the_table(app: Flask, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "OF_STRANGERS", Limit("audit-strangers", 3))
    for number in range(12):
        assert asked(app, "x", f"2001:db8:0:{number}::1") == 401
    assert len(noted(pool, "key.refused")) == 3


def test_nor_do_they_hide_what_a_tenant_does(
    app: Flask, api: Api, pool: Pool, new_tenant: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "OF_STRANGERS", Limit("audit-strangers", 1))
    monkeypatch.setattr(refusals, "OF_TENANT", Limit("audit-denied", 2))
    one, other = new_tenant("One"), new_tenant("Other")
    for number in range(4):
        asked(app, "x", f"2001:db8:0:{number}::1")
    keys = {who: api_keys.create(pool, Author("test"), who, "k", ["messages:read"], None)[1] for who in (one, other)}
    for path in ("users", "keys", "audit", "lines"):
        api("GET", f"/api/tenants/{one}/{path}", key=keys[one])
    api("GET", f"/api/tenants/{other}/users", key=keys[other])
    assert len(noted(pool, "access.denied", one)) == 2
    assert len(noted(pool, "access.denied", other)) == 1, "each tenant has lines of its own"


def test_a_refusal_stays_one_while_postgresql_is_away(
    app: Flask, parts: WebContext, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = parts.pool.transaction

    def away(*_: object, **__: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(parts.pool, "transaction", away)
    assert asked(app, "x", "192.0.2.1") == 401
    monkeypatch.setattr(parts.pool, "transaction", real)
    assert asked(app, "x", "192.0.2.1") == 401
    assert [line.detail["times"] for line in noted(pool, "key.refused")] == [2], "told once it can be"


def test_what_is_remembered_of_the_refused_has_a_bound() -> None:
    untold = RepeatCounter(600.0, remembered=3)
    assert [untold.happened(("a",)) for _ in range(3)] == [1, 0, 0]
    for name in "bcd":
        untold.happened((name,))
    assert len(untold._times) <= 3
    assert limits.STRANGERS.per_minute > refusals.OF_STRANGERS.per_minute
