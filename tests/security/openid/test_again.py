"""What a provider must not prove a second time: a session left open, a person who was not asked, somebody else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from tests.security.openid.issuer import Browser, Issuer
from tests.security.openid.world import NewTenant, Tenant
from web.request.web_context import WebContext


@dataclass
class Left:
    """A browser that was left open by an admin who has no password."""

    browser: Browser
    tenant: Tenant
    parts: WebContext

    @property
    def page(self) -> str:
        return f"/portal/tenants/{self.tenant.id}/users/new"

    def may_change(self) -> bool:
        return self.browser.client.get(self.page).status_code == 200

    def ask(self) -> dict[str, str]:
        """What the provider is asked, after a look at the page that leads there."""
        asked = self.browser.client.get(self.page)
        confirm = self.browser.client.get(asked.headers["Location"]).get_data(as_text=True)
        assert "Log in again at your provider" in confirm
        assert 'type="password"' not in confirm
        answer = self.browser.client.get("/portal/confirm/provider", query_string={"next": self.page})
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


@pytest.fixture
def left(app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant) -> Left:
    tenant, browser = new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"))
    assert browser.log_in(tenant.key).status_code == 302
    found = Left(browser, tenant, parts)
    assert found.may_change()
    with parts.pool.transaction() as cursor:
        cursor.execute("UPDATE sessions SET proved_at = now() - interval '11 minutes'")
    assert not found.may_change()
    return found


def test_a_person_who_logs_in_again_goes_on(left: Left, issuer: Issuer) -> None:
    asked = left.ask()
    assert (asked["prompt"], asked["max_age"]) == ("login", "60")
    issuer.claims["auth_time"] = int(time.time())
    answer = left.browser.back(left.tenant.key, asked)
    assert answer.headers["Location"] == left.page
    assert left.may_change()


@pytest.mark.parametrize("ago", [3600, None], ids=["asked an hour ago", "not said"])
def test_a_provider_that_did_not_ask_proves_nothing(left: Left, issuer: Issuer, ago: int | None) -> None:
    issuer.claims["auth_time"] = None if ago is None else int(time.time()) - ago
    assert left.browser.back(left.tenant.key, left.ask()).status_code == 403
    assert not left.may_change()
    assert left.browser.logged_in()


def test_somebody_else_proves_nothing(left: Left, issuer: Issuer) -> None:
    issuer.person(left.tenant.address("vera"), auth_time=int(time.time()))
    assert left.browser.back(left.tenant.key, left.ask()).status_code == 403
    assert not left.may_change()


def test_an_ordinary_log_in_proves_what_its_provider_has_seen(
    app: Flask, issuer: Issuer, new_tenant: NewTenant
) -> None:
    """Log out, log in without being asked: that makes no proof of an old one."""
    tenant, browser = new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"), auth_time=int(time.time()) - 3600)
    assert browser.log_in(tenant.key).status_code == 302
    assert browser.client.get(f"/portal/tenants/{tenant.id}/users/new").status_code == 302
    assert browser.logged_in()
