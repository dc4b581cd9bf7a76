"""Erasing a person by the API: asked for and watched; what the daemons do is in tests/integration/test_erasure.py."""

from __future__ import annotations

from collections.abc import Callable

from db.access import api_keys
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api


def test_an_erasure_is_asked_for_by_number_and_names_nobody(api: Api, new_tenant: Callable[..., str]) -> None:
    path = f"/api/tenants/{new_tenant()}/erasures"
    begun = api("POST", path, {"contact": "+49 (0)151 1000 2000"})
    assert begun.status_code == 202
    told = api("GET", begun.headers["Location"])
    assert told.get_json()["stage"] == "stop"
    assert "1511000" not in told.get_data(as_text=True)
    again = api("POST", path, {"contact": "0049151 10002000"}).get_json()
    assert again["digest"] == told.get_json()["digest"]
    assert [one["id"] for one in api("GET", path).get_json()["items"]] == [again["id"], told.get_json()["id"]]


def test_what_is_no_name_of_anybody_is_refused(api: Api, new_tenant: Callable[..., str]) -> None:
    path = f"/api/tenants/{new_tenant()}/erasures"
    for contact in ("", "0151 1000", "everybody"):
        assert api("POST", path, {"contact": contact}).status_code == 400
    assert api("GET", path).get_json() == {"items": []}


def test_it_takes_a_scope_of_its_own(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    scopes = ["tenants:read", "tenants:write", "messages:read"]
    key = api_keys.create(pool, Author("test"), tenant_id, "a key", scopes, None)[1]
    assert api("POST", f"/api/tenants/{tenant_id}/erasures", {"contact": "4915110002000"}, key=key).status_code == 403


def test_no_more_than_a_few_are_under_way(api: Api, new_tenant: Callable[..., str]) -> None:
    path = f"/api/tenants/{new_tenant()}/erasures"
    answers = [api("POST", path, {"contact": f"49151100020{place:02}"}).status_code for place in range(21)]
    assert answers == [202] * 20 + [409]
