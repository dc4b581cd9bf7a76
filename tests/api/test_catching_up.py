"""Having a line caught up with through the API, and how that stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db.pool import Pool
from tests.api.conftest import Api

PAIR = {"phone_number_id": "300000000000009", "integration_id": "22222222-bbbb-4000-8000-000000000009"}


@pytest.fixture
def path(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> str:
    """Of an active line."""
    tenant_id = new_tenant()
    line_id = api("POST", f"/api/tenants/{tenant_id}/lines", PAIR).get_json()["id"]
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET status = 'active' WHERE id = %s", (line_id,))
    return f"/api/tenants/{tenant_id}/lines/{line_id}/catch-up"


def test_it_is_wanted_once_and_told_how_it_stands(api: Api, pool: Pool, path: str) -> None:
    before = api("GET", path).get_json()
    assert (before["due_at"], before["text"]) == (None, "was never caught up with")
    answer = api("POST", path, {"hours": 2})
    assert answer.status_code == 202
    api.error(api("POST", path, {}), 409, "wanted_already")
    now = api("GET", path).get_json()
    assert (now["reason"], now["at_work"], now["outcome"], now["text"]) == ("asked", False, None, "waits for a daemon")
    assert now["due_at"] is not None
    with pool.autocommit() as cursor:
        cursor.execute("SELECT detail->'hours' FROM audit_log WHERE action = 'line.catch_up' ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == [2.0]


@pytest.mark.parametrize("hours", [0, 25, "all", None])
def test_it_reaches_back_a_day_at_most(api: Api, path: str, hours: object) -> None:
    api.error(api("POST", path, {"hours": hours}), 400, "invalid_request")


def test_a_line_that_is_not_live_or_somebody_elses_is_not_found(
    api: Api, pool: Pool, path: str, new_tenant: Callable[..., str]
) -> None:
    other = path.replace(path.split("/")[3], new_tenant("Other"))
    for method in ("GET", "POST"):
        api.error(api(method, other, {} if method == "POST" else None), 404, "not_found")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET status = 'pending'")
    api.error(api("POST", path, {}), 404, "not_found")
    assert api("GET", path).status_code == 200
