"""Users, keys and the audit log through the API: who may make whom, and what is told once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from db.access import api_keys, passwords, sessions, users
from db.access.lineage import Maker
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api
from web.request.principal import SCOPES

BY = Author("test")


@pytest.fixture
def tenant_id(new_tenant: Callable[..., str]) -> str:
    return new_tenant()


def key(pool: Pool, tenant_id: str | None, *scopes: str) -> str:
    return api_keys.create(pool, BY, tenant_id, "test", scopes, None)[1]


def test_a_users_life(api: Api, pool: Pool, tenant_id: str) -> None:
    base = f"/api/tenants/{tenant_id}/users"
    made = api("POST", base, {"email": " Ada@Nordwind.Example ", "name": "Ada", "role": "admin"})
    assert made.status_code == 201
    user = made.get_json()
    assert made.headers["Location"] == f"{base}/{user['id']}"
    assert (user["email"], user["must_change"]) == ("ada@nordwind.example", True)
    stored = users.get(pool, tenant_id, user["id"])
    assert stored
    assert passwords.matches(stored.password_hash, user["password"])
    sessions.begin(pool, stored, "a browser")

    shown = api("GET", made.headers["Location"]).get_json()
    assert "password" not in shown
    changed = api("PATCH", made.headers["Location"], {"name": "Ada B", "role": "viewer"}).get_json()
    assert (changed["name"], changed["role"], changed["status"]) == ("Ada B", "viewer", "active")
    assert sessions.listed(pool, user["id"]) == [], "another role: logged out"

    again = api("POST", f"{made.headers['Location']}/password").get_json()
    assert again["password"] != user["password"]
    stored = users.get(pool, tenant_id, user["id"])
    assert stored
    assert passwords.matches(stored.password_hash, again["password"])
    sessions.begin(pool, stored, "a browser")
    assert api("DELETE", f"{made.headers['Location']}/sessions").get_json() == {"ended": 1}
    assert [one["id"] for one in api("GET", base).get_json()["items"]] == [user["id"]]


def test_the_keys_of_somebody_who_is_disabled_end_with_them(api: Api, pool: Pool, tenant_id: str) -> None:
    ada = users.create(pool, Author("test"), tenant_id, "ada@x.example", "Ada", "admin", "x")
    hers = Author(ada.email, maker=Maker("user", ada.id, ada.rights_version))
    own, _ = api_keys.create(pool, hers, tenant_id, "hers", ["messages:read"], None)
    other, _ = api_keys.create(pool, Author("bob@x.example"), tenant_id, "his", ["messages:read"], None)
    assert api("PATCH", f"/api/tenants/{tenant_id}/users/{ada.id}", {"status": "disabled"}).status_code == 200
    revoked = {one.id: one.revoked_at is not None for one in api_keys.listed(pool, tenant_id)}
    assert revoked == {own.id: True, other.id: False}


@pytest.mark.parametrize("email", ["ada", "ada@", "@x.example", "a b@x.example", "ada@x.example\u0000", "a@b..c"])
def test_what_is_no_address_is_refused(api: Api, tenant_id: str, email: str) -> None:
    answer = api("POST", f"/api/tenants/{tenant_id}/users", {"email": email, "name": "N", "role": "viewer"})
    assert answer.status_code == 400
    assert answer.get_json()["error"]["details"][0]["field"] == "email"


def test_an_address_belongs_to_one_user(api: Api, tenant_id: str) -> None:
    body = {"email": "ada@x.example", "name": "Ada", "role": "viewer"}
    assert api("POST", f"/api/tenants/{tenant_id}/users", body).status_code == 201
    api.error(api("POST", f"/api/tenants/{tenant_id}/users", body | {"email": "ADA@x.example"}), 409, "email_taken")


def test_the_last_active_operator_stays(api: Api, pool: Pool) -> None:
    first, second = (
        api("POST", "/api/users", {"email": f"{name}@demo.example", "name": name}).get_json()["id"] for name in "ab"
    )
    assert api("PATCH", f"/api/users/{first}", {"status": "disabled"}).status_code == 200
    api.error(api("PATCH", f"/api/users/{second}", {"status": "disabled"}), 409, "last_operator")
    assert api("PATCH", f"/api/users/{first}", {"status": "active"}).status_code == 200
    assert api("PATCH", f"/api/users/{second}", {"status": "disabled"}).status_code == 200
    assert {one["status"] for one in api("GET", "/api/users").get_json()["items"]} == {"active", "disabled"}


def test_nobody_makes_a_user_who_may_more_than_himself(api: Api, pool: Pool, tenant_id: str) -> None:
    weak = key(pool, tenant_id, "access:write", "access:read", "tenants:read", "messages:read")
    base = f"/api/tenants/{tenant_id}/users"
    admin = api("POST", base, {"email": "a@x.example", "name": "A", "role": "admin"}).get_json()
    body = {"email": "b@x.example", "name": "B", "role": "admin"}
    api.error(api("POST", base, body, key=weak), 403, "not_yours_to_give")
    viewer = api("POST", base, body | {"role": "viewer"}, key=weak)
    assert viewer.status_code == 201
    path = f"{base}/{viewer.get_json()['id']}"
    api.error(api("PATCH", path, {"role": "admin"}, key=weak), 403, "not_yours_to_give")
    api.error(api("POST", f"{base}/{admin['id']}/password", key=weak), 403, "not_yours_to_give")
    assert api("PATCH", path, {"name": "Bea"}, key=weak).status_code == 200
    operator = key(pool, None, "access:write")
    refused = api("POST", "/api/users", {"email": "c@x.example", "name": "C"}, key=operator)
    api.error(refused, 403, "not_yours_to_give")


def test_a_keys_life(api: Api, pool: Pool, tenant_id: str) -> None:
    base = f"/api/tenants/{tenant_id}/keys"
    made = api("POST", base, {"name": "shop", "scopes": ["access:read", "messages:send"]})
    assert made.status_code == 201
    shop = made.get_json()
    assert shop["key"].startswith(shop["hint"])
    expires = datetime.strptime(shop["expires_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert timedelta(days=364) < expires - datetime.now(UTC) <= timedelta(days=365)
    listed = api("GET", base, key=shop["key"]).get_json()["items"]
    assert [one["name"] for one in listed] == ["shop"]
    assert "key" not in listed[0]
    assert api("DELETE", f"{base}/{shop['id']}").get_json()["revoked_at"]
    api.error(api("GET", base, key=shop["key"]), 401, "unauthorised")
    assert shop["key"] not in str(api("GET", f"/api/tenants/{tenant_id}/audit").get_json())


def test_an_expired_key_admits_nobody(api: Api, pool: Pool, tenant_id: str) -> None:
    made = api("POST", f"/api/tenants/{tenant_id}/keys", {"name": "k", "scopes": ["access:read"]}).get_json()
    with pool.transaction() as cursor:
        cursor.execute("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = %s", (made["id"],))
    api.error(api("GET", f"/api/tenants/{tenant_id}/keys", key=made["key"]), 401, "unauthorised")


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": (datetime.now(UTC) + timedelta(days=731)).isoformat()},
        {"expires_at": "2030-01-01T00:00:00"},
    ],
)
def test_a_key_needs_known_scopes_and_an_end(api: Api, tenant_id: str, change: dict[str, object]) -> None:
    body = {"name": "k", "scopes": ["messages:read"]} | change
    assert api("POST", f"/api/tenants/{tenant_id}/keys", body).status_code == 400


def test_nobody_hands_out_a_scope_that_he_has_not(api: Api, pool: Pool, tenant_id: str) -> None:
    base = f"/api/tenants/{tenant_id}/keys"
    everything_but = key(pool, tenant_id, *(set(SCOPES) - {"tokens:read"}))
    body = {"name": "k", "scopes": ["tokens:read"]}
    error = api.error(api("POST", base, body, key=everything_but), 403, "not_yours_to_give")
    assert "tokens:read" in error["message"]
    with_it = api("POST", base, body | {"scopes": ["tokens:read", "access:write"]})
    assert with_it.status_code == 201, "the operator's first key has every scope"
    assert api("POST", base, body, key=with_it.get_json()["key"]).status_code == 201


def test_the_operators_own_keys(api: Api, pool: Pool, tenant_id: str) -> None:
    made = api("POST", "/api/keys", {"name": "ops", "scopes": ["audit:read"]}).get_json()
    assert made["tenant_id"] is None
    assert api("GET", "/api/audit", key=made["key"]).status_code == 200
    api.error(api("GET", "/api/keys", key=made["key"]), 403, "forbidden")
    own = key(pool, tenant_id, *SCOPES)
    api.error(api("GET", "/api/audit", key=own), 403, "forbidden")
    assert api("DELETE", f"/api/keys/{made['id']}").status_code == 200
    api.error(api("DELETE", f"/api/tenants/{tenant_id}/keys/{made['id']}"), 404, "not_found")


def test_the_audit_log_in_pages(api: Api, pool: Pool, tenant_id: str) -> None:
    for number in range(5):
        api("POST", f"/api/tenants/{tenant_id}/keys", {"name": f"k{number}", "scopes": ["messages:read"]})
    path, seen, before = f"/api/tenants/{tenant_id}/audit", [], ""
    while True:
        page = api("GET", f"{path}?limit=2{before}").get_json()
        seen += page["items"]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert [one["id"] for one in seen] == sorted((one["id"] for one in seen), reverse=True)
    assert [one["detail"]["name"] for one in seen if one["action"] == "key.created"] == ["k4", "k3", "k2", "k1", "k0"]
    assert all(one["tenant_id"] == tenant_id and one["actor"] == "operator" for one in seen)
    assert seen[0]["detail"]["request_id"]
    api.error(api("GET", f"{path}?before=nonsense"), 400, "invalid_request")


def test_another_tenants_ids_are_nobodys(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    mine, other = new_tenant("Mine"), new_tenant("Other")
    own = key(pool, mine, *SCOPES)
    new = {"email": "o@x.example", "name": "O", "role": "viewer"}
    user = api("POST", f"/api/tenants/{other}/users", new).get_json()
    their_key = api("POST", f"/api/tenants/{other}/keys", {"name": "k", "scopes": ["messages:read"]}).get_json()
    for tenant in (other, mine):
        base = f"/api/tenants/{tenant}"
        for method, path, body in (
            ("GET", f"/users/{user['id']}", None),
            ("PATCH", f"/users/{user['id']}", {"name": "X"}),
            ("POST", f"/users/{user['id']}/password", None),
            ("DELETE", f"/users/{user['id']}/sessions", None),
            ("DELETE", f"/keys/{their_key['id']}", None),
        ):
            api.error(api(method, base + path, body, key=own), 404, "not_found")
    for path in ("users", "keys", "audit"):
        api.error(api("GET", f"/api/tenants/{other}/{path}", key=own), 404, "not_found")
    assert users.get(pool, other, user["id"]) is not None
    assert api("GET", f"/api/tenants/{other}/keys").get_json()["items"][0]["revoked_at"] is None
