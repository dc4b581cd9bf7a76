"""A tenant's OpenID provider through the API: who may set it up, what is shown of it, what it may not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from db.access import api_keys
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api
from web.request.principal import ROLES
from web.request.web_context import WebContext

PROVIDER: dict[str, Any] = {
    "name": "Nordwind",
    "issuer": "https://login.nordwind.example/realms/staff",
    "client_id": "relay",
    "client_secret": "a-secret-of-the-client",
    "admin_values": ["relay-admins"],
}


@pytest.fixture
def path(new_tenant: Callable[..., str]) -> str:
    return f"/api/tenants/{new_tenant()}/openid"


def key_of(pool: Pool, path: str, scopes: list[str]) -> str:
    return api_keys.create(pool, Author("test"), path.split("/")[3], "a key", scopes, None)[1]


def test_it_is_set_up_changed_and_removed(api: Api, pool: Pool, path: str, parts: WebContext) -> None:
    key = key_of(pool, path, sorted(ROLES["admin"]))
    before = api("GET", path, key=key).get_json()
    assert (before["provider"], before["domains"]) == (None, [])
    assert before["redirect_uri"] == before["login_url"] + "/callback"
    assert before["login_url"].startswith(f"{parts.public_url}/portal/login/")
    made = api("PUT", path, PROVIDER, key=key).get_json()
    assert made["provider"]["role_claim"] == "groups"
    assert made["login_url"] == before["login_url"]
    without_secret = {name: value for name, value in PROVIDER.items() if name != "client_secret"}
    changed = api("PUT", path, without_secret | {"viewer_values": ["staff", "staff"]}, key=key).get_json()
    assert changed["provider"]["viewer_values"] == ["staff"]
    assert api("DELETE", path, key=key).get_json()["provider"] is None
    api.error(api("DELETE", path, key=key), 404, "not_found")
    api.error(api("PUT", path, without_secret, key=key), 404, "not_found")
    assert not [one for one in api.seen if PROVIDER["client_secret"] in one]


def test_its_secret_is_shown_to_no_other_issuer(api: Api, pool: Pool, path: str) -> None:
    """Else whoever may change the issuer reads the secret at a server of theirs."""
    assert api("PUT", path, PROVIDER).status_code == 200
    elsewhere = PROVIDER | {"issuer": "https://login.elsewhere.example"}
    del elsewhere["client_secret"]
    api.error(api("PUT", path, elsewhere), 409, "secret_needed")
    assert api("GET", path).get_json()["provider"]["issuer"] == PROVIDER["issuer"]
    assert api("PUT", path, elsewhere | {"client_secret": "a-secret-of-its-own"}).status_code == 200


def test_its_secret_is_sealed(api: Api, pool: Pool, path: str) -> None:
    assert api("PUT", path, PROVIDER).status_code == 200
    with pool.autocommit() as cursor:
        cursor.execute("SELECT t::text FROM openid_providers t")
        [(row,)] = cursor.fetchall()
    assert PROVIDER["client_secret"] not in row


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issuer": "http://login.nordwind.example"}, "issuer"),
        ({"issuer": "https://login.nordwind.example?tenant=1"}, "issuer"),
        ({"issuer": "https://me:secret@login.nordwind.example"}, "issuer"),
        ({"issuer": "file:///etc/passwd"}, "issuer"),
        ({"admin_values": []}, "admin_values"),
        ({"viewer_values": ["relay-admins"]}, "viewer_values"),
        ({"role_claim": ""}, "role_claim"),
    ],
)
def test_what_cannot_be_is_named(api: Api, path: str, change: dict[str, Any], field: str) -> None:
    answer = api("PUT", path, PROVIDER | change)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["details"][0]["field"] == field


def test_nobody_gives_admins_rights_that_he_lacks_himself(api: Api, pool: Pool, path: str) -> None:
    """Else a key for users would make itself an admin, by a provider of its own."""
    key = key_of(pool, path, ["access:read", "access:write"])
    api.error(api("PUT", path, PROVIDER, key=key), 403, "not_yours_to_give")
    assert api("PUT", path, PROVIDER).status_code == 200
    api.error(api("DELETE", path, key=key), 403, "not_yours_to_give")


def test_domains_are_the_operators_word_and_one_tenants_only(
    api: Api, pool: Pool, path: str, new_tenant: Callable[..., str]
) -> None:
    key = key_of(pool, path, sorted(ROLES["admin"]))
    api.error(api("PUT", f"{path}/domains", {"domains": ["nordwind.example"]}, key=key), 403, "forbidden")
    said = api("PUT", f"{path}/domains", {"domains": ["Nordwind.example", "@nordwind.example"]})
    assert said.get_json()["domains"] == ["nordwind.example"]
    other = f"/api/tenants/{new_tenant('Other')}/openid/domains"
    api.error(api("PUT", other, {"domains": ["nordwind.example"]}), 409, "domain_taken")
    api.error(api("PUT", other, {"domains": ["no domain"]}), 400, "invalid_request")
    assert api("PUT", f"{path}/domains", {"domains": ["xn--sdlicht-n2a.example"]}).status_code == 200
    api.error(api("PUT", other, {"domains": ["S\u00dcDLICHT.example"]}), 409, "domain_taken")


def test_no_tenant_takes_an_address_at_anothers_domain(
    api: Api, pool: Pool, path: str, new_tenant: Callable[..., str]
) -> None:
    """Whoever has it would keep its owner out, at the log-in and at the owner's provider."""
    assert api("PUT", f"{path}/domains", {"domains": ["suedlicht.example"]}).status_code == 200
    own, hostile = path.replace("/openid", "/users"), f"/api/tenants/{new_tenant('Hostile')}/users"
    body = {"email": "vera@suedlicht.example", "name": "Vera", "role": "viewer"}
    key = key_of(pool, hostile, sorted(ROLES["admin"]))
    api.error(api("POST", hostile, body, key=key), 409, "email_taken")
    assert api("POST", own, body, key=key_of(pool, path, sorted(ROLES["admin"]))).status_code == 201


def test_passwords_stay_until_an_admin_has_come_in(api: Api, path: str) -> None:
    api.error(api("PUT", path, PROVIDER | {"passwords": False}), 409, "nobody_came_yet")


def test_no_password_is_made_where_none_admits(api: Api, pool: Pool, path: str) -> None:
    assert api("PUT", path, PROVIDER).status_code == 200
    with pool.transaction() as cursor:
        cursor.execute("UPDATE openid_providers SET passwords = false")
    users = path.replace("/openid", "/users")
    body = {"email": "ada@nordwind.example", "name": "Ada", "role": "admin"}
    api.error(api("POST", users, body), 409, "passwords_forbidden")
