"""A way in that was given by somebody ends with them: no key outlives the key or the person that made it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from conf.loading import load_settings
from db.access import api_keys, lineage, passwords, users
from db.access.lineage import Maker
from db.audit import Author
from db.pool import Pool
from db.views import audit_search
from db.views.audit_search import AuditSearch
from relay.cli import operator as commands
from tests.api.conftest import Api
from web.bootstrap import build_web
from web.request.principal import ROLES
from web.request.web_context import WebContext

PASSWORD = "correct horse battery staple"
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"')
GIVING = ["access:read", "access:write", "messages:read"]


@pytest.fixture
def tenant_id(new_tenant: Callable[..., str]) -> str:
    return new_tenant()


def made(api: Api, where: str, name: str, key: str | None = None, **more: Any) -> dict[str, Any]:
    answer = api("POST", where, {"name": name, "scopes": GIVING, **more}, key=key)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def admits(api: Api, key: dict[str, Any], where: str) -> bool:
    status = api("GET", where, key=key["key"]).status_code
    assert status in (200, 401)
    return status == 200


def person(pool: Pool, tenant_id: str | None, role: users.Role) -> users.User:
    user = users.create(pool, Author("test"), tenant_id, f"{role}@x.example", "Ada", role, "x")
    users.set_password(pool, Author("test"), user, passwords.hashed(PASSWORD), must_change=False)
    return user


def makes_a_key_in_the_portal(app: Flask, user: users.User, where: str) -> dict[str, Any]:
    client = app.test_client()
    token = "".join(CSRF.findall(client.get("/portal/login").get_data(as_text=True))[0])
    client.post("/portal/login", data={"csrf_token": token, "email": user.email, "password": PASSWORD})
    token = "".join(CSRF.findall(client.get(f"{where}/new").get_data(as_text=True))[0])
    form = {"csrf_token": token, "name": "first", "days": "30", "scopes": GIVING}
    assert client.post(f"{where}/new", data=form).status_code == 302
    [secret] = re.findall(r"wgr_[A-Za-z0-9_-]{43}", client.get(where).get_data(as_text=True))
    return {"key": secret}


def test_the_second_key_of_an_admin_does_not_outlive_the_admin(
    app: Flask, api: Api, pool: Pool, tenant_id: str
) -> None:
    ada, keys = person(pool, tenant_id, "admin"), f"/api/tenants/{tenant_id}/keys"
    first = makes_a_key_in_the_portal(app, ada, f"/portal/tenants/{tenant_id}/keys")
    second = made(api, keys, "second", first["key"])
    third = made(api, keys, "third", second["key"])
    stranger = made(api, keys, "another's")
    assert all(admits(api, one, keys) for one in (first, second, third, stranger))
    assert api("PATCH", f"/api/tenants/{tenant_id}/users/{ada.id}", {"status": "disabled"}).status_code == 200
    assert not any(admits(api, one, keys) for one in (first, second, third))
    body = {"email": "back@x.example", "name": "Back", "role": "viewer"}
    api.error(api("POST", f"/api/tenants/{tenant_id}/users", body, key=second["key"]), 401, "unauthorised")
    assert admits(api, stranger, keys)
    listed = {one["name"]: one["revoked_at"] is not None for one in api("GET", keys).get_json()["items"]}
    assert listed == {"first": True, "second": True, "third": True, "another's": False}
    # Whoever is let in again makes new keys: the old ones stay where they are.
    api("PATCH", f"/api/tenants/{tenant_id}/users/{ada.id}", {"status": "active"})
    assert not any(admits(api, one, keys) for one in (first, second, third))


def test_a_key_does_not_outlive_the_key_that_made_it(api: Api, pool: Pool, tenant_id: str) -> None:
    keys = f"/api/tenants/{tenant_id}/keys"
    first = made(api, keys, "first")
    second = made(api, keys, "second", first["key"])
    third = made(api, keys, "third", second["key"])
    shown = api("GET", f"{keys}/{first['id']}").get_json()
    assert [one["name"] for one in shown["ends_with_it"]] == ["second", "third"]
    answer = api("DELETE", f"{keys}/{first['id']}").get_json()
    assert [one["name"] for one in answer["ends_with_it"]] == ["second", "third"]
    assert not any(one["holds"] for one in (answer, *answer["ends_with_it"]))
    assert not any(admits(api, one, keys) for one in (first, second, third))
    noted = [one for one in audit_search.listed(pool, AuditSearch(tenant_id)).items if one.action == "key.revoked"]
    assert {one.subject for one in noted} == {one["id"] for one in (first, second, third)}


def test_an_operators_key_takes_the_tenants_keys_along_that_it_made(api: Api, tenant_id: str) -> None:
    keys = f"/api/tenants/{tenant_id}/keys"
    operators = made(api, "/api/keys", "operator's")
    child = made(api, keys, "child", operators["key"])
    assert admits(api, child, keys)
    ended = api("DELETE", f"/api/keys/{operators['id']}").get_json()["ends_with_it"]
    assert [one["id"] for one in ended] == [child["id"]]
    assert not admits(api, child, keys)


def test_a_key_made_at_the_very_moment_its_maker_ends_opens_nothing(pool: Pool, api: Api, tenant_id: str) -> None:
    """Its maker was let in before, and the row was written after: no list of what ends could hold it."""
    ada = person(pool, tenant_id, "admin")
    first, _ = api_keys.create(pool, Author("a", maker=_of(ada)), tenant_id, "first", GIVING, None)
    with pool.transaction() as cursor:  # nobody revokes anything here: whoever writes the row ends what hangs on it
        cursor.execute("UPDATE users SET status = 'disabled' WHERE id = %s", (UUID(ada.id),))
        cursor.execute("UPDATE users SET status = 'active' WHERE id = %s", (UUID(ada.id),))
    late, secret = api_keys.create(pool, Author("a", maker=_of(ada)), tenant_id, "late", GIVING, None)
    below, its = api_keys.create(
        pool, Author("k", maker=Maker("key", late.id, generation=1)), tenant_id, "b", GIVING, None
    )
    keys = f"/api/tenants/{tenant_id}/keys"
    assert not admits(api, {"key": secret}, keys)
    assert not admits(api, {"key": its}, keys)
    assert {one.id for one in api_keys.listed(pool, tenant_id) if not one.holds} == {first.id, late.id, below.id}


def _of(user: users.User) -> Maker:
    return Maker("user", user.id, user.rights_version)


def test_a_demoted_admins_key_is_no_admins_key(app: Flask, api: Api, pool: Pool, tenant_id: str) -> None:
    ada, keys = person(pool, tenant_id, "admin"), f"/api/tenants/{tenant_id}/keys"
    first = makes_a_key_in_the_portal(app, ada, f"/portal/tenants/{tenant_id}/keys")
    assert admits(api, first, keys)
    assert api("PATCH", f"/api/tenants/{tenant_id}/users/{ada.id}", {"role": "viewer"}).status_code == 200
    assert not admits(api, first, keys)


def test_a_key_never_lives_longer_than_the_one_that_made_it(api: Api, pool: Pool, tenant_id: str) -> None:
    keys, soon = f"/api/tenants/{tenant_id}/keys", datetime.now(UTC) + timedelta(days=3)
    first = made(api, keys, "first", expires_at=soon.isoformat())
    assert made(api, keys, "no end named", first["key"])["expires_at"] == first["expires_at"]
    later = {"name": "later", "scopes": GIVING, "expires_at": (soon + timedelta(seconds=1)).isoformat()}
    error = api.error(api("POST", keys, later, key=first["key"]), 400, "invalid_request")
    assert error["details"][0]["field"] == "expires_at"
    second = made(api, keys, "second", first["key"])
    with pool.transaction() as cursor:
        cursor.execute("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = %s", (first["id"],))
    assert not admits(api, second, keys)


def test_no_chain_of_keys_grows_without_end(api: Api, tenant_id: str) -> None:
    keys, newest = f"/api/tenants/{tenant_id}/keys", None
    for number in range(lineage.DEEPEST + 1):
        newest = made(api, keys, str(number), newest)["key"]
    api.error(api("POST", keys, {"name": "deeper", "scopes": GIVING}, key=newest), 409, "too_many_generations")


def test_what_a_former_admin_api_key_made_does_not_outlive_it(
    api: Api, pool: Pool, tenant_id: str, settings_env: dict[str, str]
) -> None:
    keys = f"/api/tenants/{tenant_id}/keys"
    first = made(api, keys, "first")
    second = made(api, keys, "second", first["key"])
    env = settings_env | {"ADMIN_API_KEY": "another-admin-api-key-of-this-installation"}
    changed = build_web(load_settings(env))
    own: WebContext = changed.extensions["relay"]
    try:
        later = Api(changed, env["ADMIN_API_KEY"])
        assert not any(admits(later, one, keys) for one in (first, second))
        assert {one["holds"] for one in later("GET", keys).get_json()["items"]} == {False}
        assert commands.keep_keys(load_settings(env)) == 1
        assert all(admits(later, one, keys) for one in (first, second))
        assert not any(admits(api, one, keys) for one in (first, second)), "they hang on the new one only"
    finally:
        own.publisher.close()
        own.cache.close()
        own.pool.close()


def test_a_digest_of_the_admin_api_key_is_not_guessed_at_the_speed_of_sha256(pool: Pool, api: Api) -> None:
    made(api, "/api/keys", "k")
    with pool.autocommit() as cursor:
        cursor.execute("SELECT maker_digest FROM api_keys")
        assert bytes(cursor.fetchone()[0]) == lineage.root_digest(api._key)
    assert len(lineage.root_digest(api._key)) == 64


def test_the_people_whom_a_key_invited_are_named_when_it_ends(api: Api, pool: Pool, tenant_id: str) -> None:
    base = f"/api/tenants/{tenant_id}"
    _, strong = api_keys.create(pool, Author("test"), tenant_id, "strong", sorted(ROLES["admin"]), None)
    first = api("POST", f"{base}/keys", {"name": "first", "scopes": sorted(ROLES["admin"])}, key=strong).get_json()
    body = {"email": "invited@x.example", "name": "Invited", "role": "viewer"}
    assert api("POST", f"{base}/users", body, key=first["key"]).status_code == 201
    [strong_id] = [one.id for one in api_keys.listed(pool, tenant_id) if one.name == "strong"]
    answer = api("DELETE", f"{base}/keys/{strong_id}").get_json()
    assert [one["email"] for one in answer["people_invited"]] == ["invited@x.example"]
    assert users.by_email(pool, "invited@x.example") is not None, "people stay"
