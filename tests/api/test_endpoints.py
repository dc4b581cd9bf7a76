"""Endpoints through the API: set up, tried, looked at, and the secret shown once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from db.access import api_keys
from db.audit import Author
from db.endpoints import outbox
from db.pool import Pool
from tests.api.conftest import Api

URL = "https://hooks.shop.example/in"


@pytest.fixture
def path(new_tenant: Callable[..., str]) -> str:
    return f"/api/tenants/{new_tenant('Shop')}/endpoints"


@pytest.fixture
def made(api: Api, path: str) -> dict[str, Any]:
    answer = api("POST", path, {"url": URL, "kinds": ["message.read", "message.received"]})
    assert answer.status_code == 201, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_secret_is_shown_where_it_is_made_and_nowhere_else(api: Api, path: str, made: dict[str, Any]) -> None:
    assert made["secret"].startswith("whsec_")
    assert made["kinds"] == ["message.received", "message.read"]
    rotated = api("POST", f"{path}/{made['id']}/secret").get_json()
    assert rotated["secret"] not in (made["secret"], None)
    for answer in (api("GET", path), api("GET", f"{path}/{made['id']}")):
        assert answer.status_code == 200
        assert "whsec_" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/in",
        "https://shop.example:8443/",
        "https://a:b@shop.example/",
        "https://shop.example/ä",
        "https://",
    ],
)
def test_an_address_that_is_never_called_is_refused_with_what_to_do(
    api: Api, path: str, made: dict[str, Any], url: str
) -> None:
    for answer in (api("POST", path, {"url": url}), api("PATCH", f"{path}/{made['id']}", {"url": url})):
        assert answer.status_code == 400
        assert "https://" in answer.get_json()["error"]["message"]


def test_it_is_changed_switched_off_and_deleted(api: Api, path: str, made: dict[str, Any]) -> None:
    one = f"{path}/{made['id']}"
    changed = api("PATCH", one, {"active": False, "contents": True, "name": "CRM"}).get_json()
    assert (changed["active"], changed["contents"], changed["name"], changed["url"]) == (False, True, "CRM", URL)
    assert api("POST", f"{one}/test").get_json()["error"]["code"] == "endpoint_off"
    assert api("DELETE", one).status_code == 204
    assert api("GET", one).status_code == 404
    assert api("PATCH", f"{path}/{uuid4()}", {"active": True}).status_code == 404
    assert api("POST", path, {"url": URL, "kinds": ["message.eaten"]}).status_code == 400


def test_contents_go_only_where_somebody_sends_them_who_may_see_them(
    api: Api, pool: Pool, path: str, made: dict[str, Any]
) -> None:
    _, key = api_keys.create(
        pool, Author("test"), path.split("/")[3], "set-up", ["tenants:read", "tenants:write"], None
    )
    one = f"{path}/{made['id']}"
    api.error(api("POST", path, {"url": URL, "contents": True}, key=key), 403, "forbidden")
    api.error(api("PATCH", one, {"contents": True}, key=key), 403, "forbidden")
    assert api("PATCH", one, {"contents": True}).status_code == 200
    api.error(api("PATCH", one, {"url": "https://elsewhere.example/in"}, key=key), 403, "forbidden")


def test_a_test_is_an_event_in_the_log_and_six_a_minute_are_enough(
    api: Api, path: str, made: dict[str, Any], pool: Pool
) -> None:
    one = f"{path}/{made['id']}"
    sent = [api("POST", f"{one}/test") for _ in range(7)]
    assert [answer.status_code for answer in sent] == [202] * 6 + [429]
    waiting = api("GET", f"{one}/events?state=waiting&limit=2").get_json()["items"]
    assert [event["kind"] for event in waiting] == ["endpoint.test"] * 2
    older = api("GET", f"{one}/events?state=waiting&before={waiting[-1]['place']}").get_json()["items"]
    assert len(older) == 4
    assert api("GET", one).get_json()["waiting"] == 6
    assert api("GET", f"{one}/events/{sent[0].get_json()['event_id']}/posts").json == {"items": []}
    posted = api("GET", f"{one}/events/{waiting[0]['id']}").get_json()
    assert (posted["type"], posted["data"]["endpoint_id"]) == ("endpoint.test", made["id"])
    assert api("GET", f"{one}/events/{uuid4()}").status_code == 404
    with pool.transaction() as cursor:
        cursor.execute("UPDATE endpoint_events SET expires_at = now() WHERE endpoint_id = %s", (made["id"],))
        outbox.give_up_old(cursor)
    assert api("GET", one).get_json()["dead"] == 6
    assert api("POST", f"{one}/replay", {"ids": [waiting[0]["id"]]}).json == {"replayed": 1}
    assert api("POST", f"{one}/replay", {}).json == {"replayed": 5}
