"""An app's webhook fields: told and changed with the app's own token only, after the handshake."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.conftest import APP, APP_SECRET, NUMBER, TOKEN, VERIFY_TOKEN, Receiver, Sandbox, graph_refusal

AS_APP = f"{APP}|{APP_SECRET}"
SUBSCRIPTIONS = f"{APP}/subscriptions"


@pytest.fixture
def sandbox_with_fields(sandbox: Sandbox) -> Iterator[Sandbox]:
    before = sandbox.control("/accounts")["whatsapp"][0]["fields"]
    yield sandbox
    sandbox.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "fields": before}})


def subscribe(sandbox: Sandbox, receiver: Receiver, **changed: Any) -> requests.Response:
    body = {"object": "whatsapp_business_account", "callback_url": f"{receiver.url}/meta"}
    body |= {"verify_token": VERIFY_TOKEN, "fields": ["messages", "standby"]} | changed
    return sandbox.graph("POST", SUBSCRIPTIONS, AS_APP, json={k: v for k, v in body.items() if v is not None})


def test_a_list_replaces_the_former_one_and_can_be_read_back(sandbox_with_fields: Sandbox, receiver: Receiver) -> None:
    assert subscribe(sandbox_with_fields, receiver).json() == {"success": True}
    [told] = sandbox_with_fields.graph("GET", SUBSCRIPTIONS, AS_APP).json()["data"]
    assert told["fields"] == [{"name": "messages", "version": "v25.0"}, {"name": "standby", "version": "v25.0"}]
    assert (told["object"], told["active"]) == ("whatsapp_business_account", True)
    assert told["callback_url"] == f"{receiver.url}/meta"
    assert subscribe(sandbox_with_fields, receiver, fields="messages,calls").ok
    assert sandbox_with_fields.graph("DELETE", f"{SUBSCRIPTIONS}?fields=calls", AS_APP).ok
    [told] = sandbox_with_fields.graph("GET", SUBSCRIPTIONS, AS_APP).json()["data"]
    assert [each["name"] for each in told["fields"]] == ["messages"]
    assert sandbox_with_fields.graph("DELETE", SUBSCRIPTIONS, AS_APP).ok
    assert sandbox_with_fields.graph("GET", SUBSCRIPTIONS, AS_APP).json() == {"data": []}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"fields": ["messages", "mesages"]}, 100),
        ({"fields": []}, 100),
        ({"object": "page"}, 100),
        ({"object": None}, 100),
        ({"verify_token": None}, 100),
        ({"callback_url": None}, 100),
        ({"subscribed_fields": ["messages"]}, 100),
        ({"verify_token": "wrong"}, 2200),
    ],
)
def test_what_is_wrong_changes_nothing(
    sandbox_with_fields: Sandbox, receiver: Receiver, changed: dict[str, Any], code: int
) -> None:
    before = sandbox_with_fields.graph("GET", SUBSCRIPTIONS, AS_APP).json()
    graph_refusal(subscribe(sandbox_with_fields, receiver, **changed), code)
    assert sandbox_with_fields.graph("GET", SUBSCRIPTIONS, AS_APP).json() == before


@pytest.mark.parametrize(
    ("token", "code", "status"), [(TOKEN, 15, 400), (f"{APP}|wrong", 190, 401), (None, 15, 400), ("1|x", 190, 401)]
)
def test_only_the_app_itself_may_see_them(sandbox: Sandbox, token: str | None, code: int, status: int) -> None:
    graph_refusal(sandbox.graph("GET", SUBSCRIPTIONS, token), code, status)


def test_another_app_looks_as_if_it_did_not_exist(sandbox: Sandbox) -> None:
    graph_refusal(sandbox.graph("GET", "100000000000777/subscriptions", AS_APP), 100)
