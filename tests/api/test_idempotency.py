"""Idempotency-Key: what creates something may be repeated, and is done once."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest
from flask import Flask

from db.access import api_keys, idempotency
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api
from web.request.web_context import WebContext


def count(pool: Pool, table: str) -> int:
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_a_repeat_gets_the_same_answer_and_does_nothing(api: Api, pool: Pool) -> None:
    first = api("POST", "/api/tenants", {"name": "Nordwind"}, Idempotency_Key="k1")
    again = api("POST", "/api/tenants", {"name": "Nordwind"}, Idempotency_Key="k1")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert count(pool, "tenants") == 1
    assert api("POST", "/api/tenants", {"name": "Nordwind"}, Idempotency_Key="k2").status_code == 201
    assert count(pool, "tenants") == 2


def test_another_request_with_the_key_is_refused(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    assert api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k").status_code == 201
    api.error(api("POST", "/api/tenants", {"name": "B"}, Idempotency_Key="k"), 409, "idempotency_key_reused")
    elsewhere = api("POST", f"/api/tenants/{tenant_id}/keys", {"name": "A"}, Idempotency_Key="k")
    api.error(elsewhere, 409, "idempotency_key_reused")


def test_the_key_belongs_to_who_asks(api: Api, pool: Pool) -> None:
    _, other = api_keys.create(pool, Author("test"), None, "another operator", ["tenants:write"], None)
    first = api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k").get_json()
    second = api("POST", "/api/tenants", {"name": "A"}, key=other, Idempotency_Key="k").get_json()
    assert first["id"] != second["id"]


def test_after_an_error_the_key_is_free(api: Api, pool: Pool) -> None:
    assert api("POST", "/api/tenants", {"name": ""}, Idempotency_Key="k").status_code == 400
    assert api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k").status_code == 201


def test_a_secret_is_told_again_and_kept_sealed(
    api: Api, pool: Pool, parts: WebContext, new_tenant: Callable[..., str]
) -> None:
    path, body = f"/api/tenants/{new_tenant()}/keys", {"name": "k", "scopes": ["messages:read"]}
    secret = api("POST", path, body, Idempotency_Key="k").get_json()["key"]
    assert api("POST", path, body, Idempotency_Key="k").get_json()["key"] == secret
    with pool.autocommit() as cursor:
        cursor.execute("SELECT k::text FROM idempotency_keys k")
        assert secret not in str(cursor.fetchall())


def test_of_many_at_once_one_does_it(app: Flask, api: Api, pool: Pool) -> None:
    def ask() -> int:
        return Api(app, api._key)("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k").status_code

    running = [gevent.spawn(ask) for _ in range(8)]
    gevent.joinall(running)
    assert {one.value for one in running} <= {201, 409}
    assert count(pool, "tenants") == 1


def test_while_the_first_runs_the_repeat_has_to_wait(api: Api, pool: Pool, parts: WebContext) -> None:
    assert api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k").status_code == 201
    with pool.transaction() as cursor:
        cursor.execute("UPDATE idempotency_keys SET status = NULL, sealed = NULL")
    answer = api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k")
    api.error(answer, 409, "still_running")
    assert int(answer.headers["Retry-After"]) > 0
    with pool.transaction() as cursor:
        cursor.execute("UPDATE idempotency_keys SET created_at = now() - interval '3 minutes'")
    assert api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k").status_code == 201, "its process had died"


def test_after_a_day_it_is_forgotten_and_swept(api: Api, pool: Pool, parts: WebContext) -> None:
    for number in range(3):
        api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key=f"k{number}")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    assert api("POST", "/api/tenants", {"name": "another"}, Idempotency_Key="k0").status_code == 201
    assert count(pool, "idempotency_keys") == 1


def test_a_new_key_of_the_installation_opens_old_answers(pool: Pool, parts: WebContext, api: Api) -> None:
    api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key="k")
    assert idempotency.reseal(pool, parts.cipher) == 1


@pytest.mark.parametrize("key", ["", " ", "two words", "a#b", "x" * 129, "ü"])
def test_a_key_is_short_and_plain(api: Api, key: str) -> None:
    api.error(api("POST", "/api/tenants", {"name": "A"}, Idempotency_Key=key), 400, "invalid_request")
