"""Passwords that are forbidden admit nobody, and none are made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from db.access import openid, password_rules
from db.tenants.changes import TakenError
from tests.portal.client import BY, PASSWORD, Person, running_app
from tests.security.openid.issuer import Browser, Issuer
from tests.security.openid.world import NewTenant, Tenant, new_user, token_of
from web.request.web_context import WebContext


def forbid(parts: WebContext, tenant: Tenant, issuer: Issuer) -> None:
    said = openid.ProviderSettings(
        "Nordwind", issuer.url, issuer.client_id, "groups", ("admins",), ("viewers",), passwords=False
    )
    openid.put(parts.pool, parts.cipher, BY, tenant.id, said, None, tenant.key)


def status_of_log_in(app: Flask, email: str, password: str = PASSWORD) -> int:
    """302 when the password admits."""
    client = app.test_client()
    token = token_of(client.get("/portal/login").get_data(as_text=True))
    return client.post("/portal/login", data={"csrf_token": token, "email": email, "password": password}).status_code


def test_a_password_admits_no_longer_once_the_tenant_has_forbidden_them(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    user = new_user(parts.pool, tenant.address("vera"), "admin", tenant.id)
    before = Person(app, user.email)
    issuer.person(tenant.address("ada"))
    assert Browser(app).log_in(tenant.key).status_code == 302
    forbid(parts, tenant, issuer)
    openid.end_password_sessions(parts.pool, tenant.id, None)
    assert status_of_log_in(app, user.email) == 403
    assert before.answer("/portal/account").status_code == 302
    elsewhere = new_tenant()
    other = new_user(parts.pool, elsewhere.address("otto"), "admin", elsewhere.id)
    assert status_of_log_in(app, other.email) == 302
    password_rules.let_in(parts.pool, BY, user)
    assert status_of_log_in(app, user.email) == 302
    with parts.pool.transaction() as cursor:
        cursor.execute("UPDATE emergency_passwords SET until = now()")
    assert status_of_log_in(app, user.email) == 403


def test_a_wrong_password_is_told_nothing_of_that(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant = new_tenant()
    new_user(parts.pool, tenant.address("vera"), "admin", tenant.id)
    issuer.person(tenant.address("ada"))
    assert Browser(app).log_in(tenant.key).status_code == 302
    forbid(parts, tenant, issuer)
    assert status_of_log_in(app, tenant.address("vera"), "wrong") == 401
    assert status_of_log_in(app, tenant.address("nobody"), "wrong") == 401


def test_passwords_stay_until_an_admin_has_come_in(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    """Else a slip in the issuer locks a tenant out."""
    tenant = new_tenant()
    with pytest.raises(TakenError, match="once an admin has logged in"):
        forbid(parts, tenant, issuer)
    issuer.person(tenant.address("vic"), groups=("viewers",))
    assert Browser(app).log_in(tenant.key).status_code == 302
    with pytest.raises(TakenError):
        forbid(parts, tenant, issuer)


@pytest.fixture
def without_passwords(settings_env: dict[str, str], issuer: Issuer) -> Iterator[Flask]:
    own = {
        "OIDC_ISSUER": issuer.url,
        "OIDC_CLIENT_ID": issuer.client_id,
        "OIDC_CLIENT_SECRET": issuer.client_secret,
        "OIDC_ROLES": '{"operators": "operator"}',
        "PASSWORD_LOGIN": "false",
    }
    with running_app(settings_env | own) as app:
        app.config["RATE_LIMITED"] = False
        yield app


def test_an_installation_without_passwords(without_passwords: Flask, parts: WebContext) -> None:
    operator = new_user(parts.pool, "otto@relay.example", "operator", None)
    page = without_passwords.test_client().get("/portal/login").get_data(as_text=True)
    assert "Log in with your organisation" in page
    assert "/portal/login/openid" in page
    assert status_of_log_in(without_passwords, operator.email) == 403
    password_rules.let_in(parts.pool, BY, operator)
    assert status_of_log_in(without_passwords, operator.email) == 302
