"""GET /auth/token: both providers' tokens, for those who may, and a clear word where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from db.access import api_keys
from db.audit import Author
from db.pool import Pool
from relay.core.errors import SendError
from tests import processes
from tests.api.conftest import TOKEN, Api
from tests.api.test_rotation import active_line
from web.request.principal import ROLES
from web.request.web_context import WebContext


@pytest.fixture
def tenant_id(new_tenant: Callable[..., str], sandbox: processes.Process) -> str:
    return new_tenant()


def ask(api: Api, tenant_id: str, side: str | None = None, query: str = "", **more: Any) -> Any:
    headers = {} if side is None else {"X_Credential_Type": side}
    return api("GET", f"/auth/token{query}", None, X_Tenant_ID=tenant_id, **headers, **more)


def test_genesys_is_the_default(api: Api, tenant_id: str) -> None:
    answer = ask(api, tenant_id)
    assert answer.status_code == 200, answer.get_json()
    token = answer.get_json()
    assert (token["token_type"], token["credential_type"]) == ("Bearer", "genesys")
    assert 0 < token["expires_in"] <= 86_400
    assert answer.headers["Cache-Control"] == "no-store"
    assert ask(api, tenant_id, "genesys").get_json()["access_token"] == token["access_token"], "kept until it expires"


def test_whatsapps_by_the_header(api: Api, tenant_id: str) -> None:
    token = ask(api, tenant_id, "whatsapp").get_json()
    assert (token["access_token"], token["credential_type"]) == (TOKEN, "whatsapp")


def test_each_look_is_audited(api: Api, tenant_id: str) -> None:
    ask(api, tenant_id)
    ask(api, tenant_id, "whatsapp")
    log = api("GET", f"/api/tenants/{tenant_id}/audit").get_json()["items"]
    assert [one["subject"] for one in log if one["action"] == "token.read"] == ["whatsapp", "genesys"]
    assert TOKEN not in str(log)


def test_by_line(api: Api, parts: WebContext, pool: Pool, tenant_id: str) -> None:
    active_line(parts, pool, tenant_id, "3001", "int-1")
    assert ask(api, tenant_id, query="?integration_id=int-1").status_code == 200
    api.error(ask(api, tenant_id, query="?integration_id=int-2"), 404, "line_missing")
    api.error(ask(api, tenant_id, query="?phone_number_id=3001&integration_id=other"), 404, "line_missing")


def test_only_with_the_scope(api: Api, pool: Pool, tenant_id: str) -> None:
    _, admin = api_keys.create(pool, Author("test"), tenant_id, "admin", sorted(ROLES["admin"]), None)
    api.error(ask(api, tenant_id, key=admin), 403, "forbidden")
    _, reader = api_keys.create(pool, Author("test"), tenant_id, "reader", ["tokens:read"], None)
    assert api("GET", "/auth/token", key=reader).status_code == 200


def test_refused_credentials(api: Api, new_tenant: Callable[..., str], sandbox: processes.Process) -> None:
    tenant_id = new_tenant(genesys={"client_secret": "not the secret"}, whatsapp={"access_token": "EAAG-of-nobody-01"})
    for side in ("genesys", "whatsapp"):
        error = api.error(ask(api, tenant_id, side), 409, "credentials_refused")
        assert "not the secret" not in str(error)


def test_without_credentials(api: Api) -> None:
    tenant_id = api("POST", "/api/tenants", {"name": "N"}).get_json()["id"]
    for side in ("genesys", "whatsapp"):
        api.error(ask(api, tenant_id, side), 404, "credentials_missing")
    api.error(ask(api, tenant_id, "telegram"), 400, "invalid_request")
    api.error(api("GET", "/auth/token"), 400, "tenant_missing")


def test_a_provider_that_does_not_answer(app: Flask, api: Api, parts: WebContext, tenant_id: str) -> None:
    class Silent:
        def token(self, *_: object) -> None:
            raise SendError("retry", "connect_failed", "cannot connect")

    silent: Any = Silent()
    app.extensions["relay"] = replace(parts, channels={**parts.channels, "genesys": silent})
    try:
        answer = ask(api, tenant_id)
        api.error(answer, 503, "provider_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        app.extensions["relay"] = parts
