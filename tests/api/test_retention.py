"""For how long what is kept: read and chosen by the API."""

from __future__ import annotations

from collections.abc import Callable

from db.access import api_keys
from db.audit import Author
from db.pool import Pool
from db.tenants import retention
from tests.api.conftest import Api


def by_kind(told: dict[str, list[dict[str, object]]]) -> dict[object, dict[str, object]]:
    return {one["kind"]: one for one in told["items"]}


def test_a_tenant_chooses_within_bounds_and_sees_how_far_it_is(
    api: Api, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    path = f"/api/tenants/{new_tenant()}/retention"
    before = by_kind(api("GET", path).get_json())
    assert (before["contents"]["days"], before["contents"]["chosen"]) == (365, False)
    assert before["media"]["due_at"] is None
    told = by_kind(api("PUT", path, {"contents": 30, "history": 60}).get_json())
    assert (told["contents"]["days"], told["history"]["days"], told["media"]["chosen"]) == (30, 60, False)
    retention.enlist(pool)
    assert by_kind(api("GET", path).get_json())["media"]["due_at"]


def test_what_would_do_harm_is_refused_at_its_field(api: Api, new_tenant: Callable[..., str]) -> None:
    path = f"/api/tenants/{new_tenant()}/retention"
    refused = api("PUT", path, {"contents": 60, "history": 61})
    assert refused.status_code == 400
    assert "history" in refused.get_data(as_text=True)
    assert api("PUT", path, {"audit": 1}).status_code == 400
    assert not any(one["chosen"] for one in api("GET", path).get_json()["items"])


def test_whoever_may_only_look_chooses_nothing(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    key = api_keys.create(pool, Author("test"), tenant_id, "a key", ["tenants:read"], None)[1]
    path = f"/api/tenants/{tenant_id}/retention"
    assert api("GET", path, key=key).status_code == 200
    assert api("PUT", path, {"media": 30}, key=key).status_code == 403
