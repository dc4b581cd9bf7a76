"""A tenant's departure by the API; what the daemons do is in tests/integration/test_tenant_deletion.py."""

from __future__ import annotations

from collections.abc import Callable

from db.access import api_keys
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api


def test_a_tenant_is_closed_taken_back_and_deleted_at_once_by_its_name(
    api: Api, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    tenant_id = new_tenant()
    own, path = f"/api/tenants/{tenant_id}", f"/api/tenants/{tenant_id}/departure"
    key = api_keys.create(pool, Author("test"), tenant_id, "a key", ["tenants:read"], None)[1]
    api.error(api("GET", path), 404, "not_found")
    closed = api("POST", path, {"days": 7})
    assert closed.status_code == 202
    told = closed.get_json()
    assert (told["stage"], told["begun_at"]) == ("closed", None)
    assert api("GET", own, key=key).status_code == 401, "its keys are revoked"
    api.error(api("POST", path, {}), 409, "closed")
    api.error(api("POST", f"{path}/deletion", {"name": "not its name"}), 409, "wrong_name")
    assert api("DELETE", path).status_code == 204
    assert api("GET", path).status_code == 404

    assert api("POST", path, {}).get_json()["begins_at"] > told["begins_at"], "thirty days where nobody says"
    at_once = api("POST", f"{path}/deletion", {"name": told["name"]})
    assert at_once.status_code == 202
    assert at_once.get_json()["begins_at"] < told["begins_at"]
    assert tenant_id in [one["tenant_id"] for one in api("GET", "/api/departures").get_json()["items"]]


def test_a_tenants_own_key_closes_nothing(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    key = api_keys.create(pool, Author("test"), tenant_id, "a key", ["tenants:read", "tenants:write"], None)[1]
    for method, path in (("POST", ""), ("DELETE", ""), ("POST", "/deletion"), ("GET", "")):
        answer = api(method, f"/api/tenants/{tenant_id}/departure{path}", {"name": "x"}, key=key)
        assert answer.status_code == 403, method
    assert api("GET", "/api/departures", key=key).status_code == 403
