"""Which webhook fields Meta sends: shown, and all of them subscribed to, against the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from gevent.pywsgi import WSGIServer

from db.pool import Pool
from tests.api.conftest import VERIFY_TOKEN, Api
from tests.processes import Process
from tests.waiting import PATIENCE

SUEDLICHT = {
    "phone_number_id": "300000000000002",
    "waba_id": "200000000000002",
    "access_token": "EAAG-demo-token-suedlicht",
    "app_secret": "demo-app-secret-suedlicht-0002",
    "verify_token": VERIFY_TOKEN,
}
PLATFORM = "300000000000001"


@pytest.fixture
def at_meta(settings_env: dict[str, str], sandbox: Process) -> Callable[..., Any]:
    """Changes the app of a number at the sandbox, and answers with how it stands."""

    def change(number: str = SUEDLICHT["phone_number_id"], **fields: Any) -> Any:
        url = f"http://127.0.0.1:{settings_env['SANDBOX_PORT']}/control/accounts"
        body = {"whatsapp": {"phone_number_id": number, **fields}}
        return requests.post(url, json=body, timeout=PATIENCE).json()["whatsapp"]

    return change


@pytest.fixture
def served(app: Flask, settings_env: dict[str, str]) -> Iterator[None]:
    """Meta tries the address before it takes a list, so something has to listen there."""
    server = WSGIServer(("127.0.0.1", int(settings_env["WEB_PORT"])), app, log=None)
    server.start()
    yield
    server.stop()


def line_of(api: Api, tenant_id: str, number: str = SUEDLICHT["phone_number_id"]) -> str:
    """The address of the fields of the tenant's line, which is made here."""
    line = api("POST", f"/api/tenants/{tenant_id}/lines", {"phone_number_id": number, "integration_id": "i"}).get_json()
    return f"/api/tenants/{tenant_id}/lines/{line['id']}/webhook-fields"


def test_all_fields_are_subscribed_to_read_back_and_audited(
    api: Api, new_tenant: Callable[..., str], at_meta: Callable[..., Any], pool: Pool, served: None
) -> None:
    at_meta(fields=["messages", "flows"], callback_url="")
    tenant_id = new_tenant(whatsapp=SUEDLICHT)
    fields = line_of(api, tenant_id)
    before = api("GET", fields).get_json()
    assert (before["app_id"], before["complete"]) == ("100000000000002", False)
    assert {each["name"] for each in before["fields"] if each["subscribed"]} == {"messages", "flows"}
    done = api("POST", fields).get_json()
    assert done["complete"], done
    assert {each["name"] for each in done["fields"]} == set(at_meta()["fields"])
    assert "/webhook/meta/" in done["callback_url"]
    with pool.transaction() as cursor:
        cursor.execute("SELECT subject, detail->>'app_id' FROM audit_log WHERE action = 'line.subscribed'")
        assert cursor.fetchall() == [(fields.split("/")[5], "100000000000002")]


def test_an_app_that_posts_elsewhere_is_left_as_it_is(
    api: Api, new_tenant: Callable[..., str], at_meta: Callable[..., Any]
) -> None:
    at_meta(fields=["messages"], callback_url="https://crm.example/hook")
    fields = line_of(api, new_tenant(whatsapp=SUEDLICHT))
    error = api.error(api("POST", fields), 409, "other_webhook")
    assert "https://crm.example/hook" in error["message"]
    assert at_meta()["fields"] == ["messages"]
    at_meta(callback_url="")


def test_where_nobody_answers_meta_nothing_is_changed(
    api: Api, new_tenant: Callable[..., str], at_meta: Callable[..., Any]
) -> None:
    at_meta(fields=["messages"], callback_url="")
    error = api.error(api("POST", line_of(api, new_tenant(whatsapp=SUEDLICHT))), 409, "provider_refused")
    assert "Callback verification failed" in error["message"]
    assert VERIFY_TOKEN not in error["message"]
    assert at_meta()["fields"] == ["messages"]


def test_only_the_operator_changes_the_operators_app(
    api: Api, new_tenant: Callable[..., str], at_meta: Callable[..., Any], served: None
) -> None:
    before = at_meta(PLATFORM, fields=["messages"], callback_url="")
    tenant_id = new_tenant()
    fields = line_of(api, tenant_id, PLATFORM)
    key = api("POST", f"/api/tenants/{tenant_id}/keys", {"name": "k", "scopes": ["tenants:write"]}).get_json()["key"]
    assert api("GET", fields, key=key).status_code == 200
    api.error(api("POST", fields, key=key), 403, "operators_app")
    assert at_meta(PLATFORM) == before
    assert api("POST", fields).get_json()["complete"]


def test_where_the_operators_app_posts_to_is_told_to_the_operator_alone_and_no_query_to_anybody(
    api: Api, new_tenant: Callable[..., str], at_meta: Callable[..., Any]
) -> None:
    at_meta(PLATFORM, fields=["messages"], callback_url="https://crm.example/hook?key=k")
    tenant_id = new_tenant()
    fields = line_of(api, tenant_id, PLATFORM)
    key = api("POST", f"/api/tenants/{tenant_id}/keys", {"name": "k", "scopes": ["tenants:write"]}).get_json()["key"]
    assert api("GET", fields, key=key).get_json()["callback_url"] == ""
    assert api("GET", fields).get_json()["callback_url"] == "https://crm.example/hook"
    at_meta(PLATFORM, callback_url="")


def test_a_line_of_somebody_else_is_not_there(api: Api, new_tenant: Callable[..., str], sandbox: Process) -> None:
    theirs, ours = new_tenant("Theirs", whatsapp=SUEDLICHT), new_tenant("Ours", whatsapp=SUEDLICHT)
    line_id = line_of(api, theirs).split("/")[5]
    for method in ("GET", "POST"):
        answer = api(method, f"/api/tenants/{ours}/lines/{line_id}/webhook-fields")
        api.error(answer, 404, "not_found")
