"""What a tenant's own programs ask for, be it with a thousand keys, keeps nobody else from anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent.monkey import get_original
from werkzeug.test import TestResponse

from db.access import api_keys, passwords
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api
from tests.waiting import PATIENCE, wait_until
from web.request import limits
from web.request import passwords as beside
from web.request.limits import Limit

ASKED = 6


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hashing ends when the test says so; the passwords whose hashing has begun."""
    begun, go = list[str](), get_original("threading", "Event")()  # for a thread of the pool

    def hashed(password: str) -> str:
        begun.append(password)
        go.wait(PATIENCE)
        return "hashed"

    monkeypatch.setattr(passwords, "hashed", hashed)
    yield begun
    go.set()


def key_of(pool: Pool, tenant_id: str, name: str = "k") -> str:
    scopes = ["access:read", "access:write", "tenants:read", "messages:read"]
    return api_keys.create(pool, Author("test"), tenant_id, name, scopes, None)[1]


def test_new_passwords_of_one_tenant_leave_a_turn_for_others(
    api: Api, pool: Pool, new_tenant: Callable[..., str], slow: list[str]
) -> None:
    tenant_id, other_id = new_tenant(), new_tenant("Südlicht")
    keys = [key_of(pool, tenant_id, f"k{n}") for n in range(ASKED)]
    asking = [gevent.spawn(invited, api, tenant_id, key, n) for n, key in enumerate(keys)]
    wait_until(lambda: slow and len(beside._own) == 1 and beside._own[tenant_id][1] == ASKED)
    assert len(slow) == 1, "one of the tenant's own, however many keys ask"
    other = gevent.spawn(invited, api, other_id, key_of(pool, other_id), 0)
    wait_until(lambda: len(slow) == 2)
    gevent.killall([*asking, other])
    assert not beside._own, "nobody who has left is remembered"


def invited(api: Api, tenant_id: str, key: str, n: int) -> TestResponse:
    body = {"email": f"u{n}@{tenant_id}.example", "name": "U", "role": "viewer"}
    return api("POST", f"/api/tenants/{tenant_id}/users", body, key=key)


def test_many_keys_of_a_tenant_are_one_tenant(
    api: Api, pool: Pool, new_tenant: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TENANT", Limit("tenant", 3))
    tenant_id, other_id = new_tenant(), new_tenant("Südlicht")
    asked = [key_of(pool, tenant_id, f"k{n}") for n in range(5)]
    statuses = [api("GET", f"/api/tenants/{tenant_id}/keys", key=key).status_code for key in asked]
    assert statuses == [200, 200, 200, 429, 429]
    other = api("GET", f"/api/tenants/{other_id}/keys", key=key_of(pool, other_id))
    assert other.status_code == 200, "another tenant's"
