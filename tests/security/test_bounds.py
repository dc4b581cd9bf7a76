"""Nobody fills a table: of what stays a tenant can make so many and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from db.tenants import bounds
from tests.api.conftest import Api

BODIES: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "users": ("users", lambda n: {"email": f"ada{n}@nordwind.example", "name": f"Ada {n}", "role": "viewer"}),
    "api_keys": ("keys", lambda n: {"name": f"Shop {n}", "scopes": ["messages:read"]}),
    "lines": ("lines", lambda n: {"phone_number_id": f"30000000000010{n}", "integration_id": f"integration-{n}"}),
}


@pytest.mark.parametrize("table", BODIES)
def test_a_tenant_makes_so_many_and_no_more(
    api: Api, new_tenant: Callable[..., str], monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setitem(bounds.MOST, table, 2)
    where, body = BODIES[table]
    tenant_id, other = new_tenant("Nordwind"), new_tenant("Other")
    for n in range(2):
        assert api("POST", f"/api/tenants/{tenant_id}/{where}", body(n)).status_code == 201
    api.error(api("POST", f"/api/tenants/{tenant_id}/{where}", body(3)), 409, "too_many")
    assert api("POST", f"/api/tenants/{other}/{where}", body(4)).status_code == 201
