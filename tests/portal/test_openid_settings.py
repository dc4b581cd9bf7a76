"""The page on which a tenant's admins set up their own provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from db.access import openid
from db.pool import Pool
from tests.portal.client import Person, running_app
from tests.portal.conftest import new_user
from tests.portal.rows import House
from tests.security.openid.issuer import Browser, Issuer, running
from web.request.web_context import WebContext


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str], issuer: Issuer) -> Iterator[Flask]:
    with running_app(settings_env | {"OIDC_PRIVATE_ORIGINS": issuer.url}) as app:
        yield app


@pytest.fixture(scope="module")
def operator(app: Flask, house: House) -> Person:
    new_user(house.pool, "ops@relay.example", "operator")
    return Person(app, "ops@relay.example")


def form(at: Issuer, **changed: str) -> dict[str, str]:
    return {
        "name": "Nordwind",
        "issuer": at.url,
        "client_id": at.client_id,
        "client_secret": at.client_secret,
        "role_claim": "groups",
        "admin_values": "admins\n\nbosses",
        "viewer_values": "",
        "passwords": "yes",
    } | changed


def provider(app: Flask, house: House) -> openid.TenantProvider:
    parts: WebContext = app.extensions["relay"]
    found = openid.get(parts.pool, parts.cipher, house.tenant_id)
    assert found is not None
    return found


def test_from_the_first_form_to_a_log_in_without_passwords(
    app: Flask, house: House, admin: Person, operator: Person, issuer: Issuer
) -> None:
    where = f"{house.path}/login"
    shown = admin.get(where)
    assert "The first time a secret is needed." in admin.post(where, form(issuer, client_secret=""), status=400)
    assert "Nobody new can log in" in admin.follow(where, form(issuer))
    held = provider(app, house)
    assert f"/portal/login/{held.login_key}/callback" in shown
    assert held.terms.admin_values == ("admins", "bosses")

    admin.post(f"{where}/domains", {"domains": "nordwind.example"}, status=403)
    operator.post(f"{where}/domains", {"domains": "nordwind.example\nsued.example"})
    assert provider(app, house).domains == ("nordwind.example", "sued.example")

    refused = admin.post(where, form(issuer, passwords="no"), status=400)
    assert "once an admin has logged in through this provider" in refused
    issuer.person("ada@nordwind.example", name="Ada Brandt")
    browser = Browser(app)
    assert browser.log_in(held.login_key).status_code == 302
    assert "Ada Brandt" in admin.get(f"{house.path}/users")

    admin.post(where, form(issuer, client_secret="", passwords="no"))
    assert admin.get("/portal/account")  # whoever forbids them is not put out by it
    assert browser.client.get("/portal/account").status_code == 302
    asked = admin.post(f"{house.path}/users/new", {"name": "X", "email": "x@nordwind.example", "role": "viewer"}, 400)
    assert "passwords are switched off" in asked.lower()
    assert not [one for one in admin.seen if issuer.client_secret in one]


def test_a_browser_that_came_in_by_a_tenants_address_is_offered_it_again(
    app: Flask, house: House, issuer: Issuer
) -> None:
    issuer.person("ada@nordwind.example")
    browser, stranger = Browser(app), Browser(app)
    assert browser.log_in(provider(app, house).login_key).status_code == 302
    browser.client.delete_cookie("relay")
    offered = "Log in with Nordwind"
    assert offered in browser.client.get("/portal/login").get_data(as_text=True)
    assert offered not in stranger.client.get("/portal/login").get_data(as_text=True)


def test_an_issuer_that_cannot_be_used_is_saved_with_a_warning(house: House, admin: Person, issuer: Issuer) -> None:
    issuer.metadata = {"issuer": "https://somebody.example"}
    said = admin.follow(f"{house.path}/login", form(issuer))
    assert "But nobody can log in through it yet." in said
    assert "names another issuer" in said
    issuer.reset()
    assert "But nobody can log in" not in admin.follow(f"{house.path}/login", form(issuer))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "http://10.0.0.1"}, "This must be an https address"),
        ({"admin_values": ""}, "must name a value"),
        ({"issuer": "https://login.elsewhere.example", "client_secret": ""}, "Another issuer takes a secret"),
        ({"viewer_values": "admins"}, "must name no value that stands for admins already"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    house: House, admin: Person, issuer: Issuer, change: dict[str, str], said: str
) -> None:
    assert said in admin.post(f"{house.path}/login", form(issuer, **change), status=400)


def test_a_viewer_sees_and_changes_nothing(house: House, viewer: Person, issuer: Issuer, pool: Pool) -> None:
    viewer.get(f"{house.path}/login", status=403)
    viewer.post(f"{house.path}/login", form(issuer), status=403)
    viewer.post(f"{house.path}/login/remove", status=403)


def test_a_removed_provider_logs_nobody_in(app: Flask, house: House, admin: Person, issuer: Issuer) -> None:
    issuer.reset()
    issuer.person("ada@nordwind.example")
    browser, key = Browser(app), provider(app, house).login_key
    assert browser.log_in(key).status_code == 302
    assert "Remove “Nordwind”?" in admin.get(f"{house.path}/login/remove")
    admin.post(f"{house.path}/login/remove")
    assert browser.client.get("/portal/account").status_code == 302
    assert browser.client.get(f"/portal/login/{key}").status_code == 404
