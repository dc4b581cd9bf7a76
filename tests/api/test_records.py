"""POST and PATCH /state/message: messages that others carry, kept track of and never sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from db.access import api_keys
from db.audit import Author
from db.mailbox import messages, sweep
from db.pool import Pool
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from tests.integration.rows import sent_message
from web.request.web_context import WebContext

WA_ID = "4915112345678"
AT = "2026-01-02T03:04:05Z"


@pytest.fixture
def tenant_id(new_tenant: Callable[..., str], parts: WebContext, pool: Pool) -> str:
    tenant_id = new_tenant()
    active_line(parts, pool, tenant_id)
    return tenant_id


@pytest.fixture
def post(api: Api, tenant_id: str) -> Callable[..., TestResponse]:
    def send(**body: object) -> TestResponse:
        whole = {"wa_id": WA_ID, "direction": "inbound", "text": "Hello"} | body
        return api("POST", "/state/message", whole, X_Tenant_ID=tenant_id)

    return send


def test_a_record_is_kept_and_never_sent(
    api: Api, pool: Pool, post: Callable[..., TestResponse], tenant_id: str
) -> None:
    made = post(
        media_type="image", media_url="https://files.example/a.jpg", text=None, source_id="crm-1", at=AT, type="image"
    )
    assert made.status_code == 201
    record = made.get_json()
    assert (record["status"], record["media_type"], record["source_id"]) == ("recorded", "image", "crm-1")
    assert record["media_url"] == "https://files.example/a.jpg"
    assert record["at"].startswith("2026-01-02T03:04:05")
    with pool.transaction() as cursor:
        cursor.execute("SELECT shard FROM message_tracking WHERE id = %s", (record["id"],))
        assert sweep.page(cursor, [cursor.fetchone()[0]]) == []
        assert messages.unfinished(cursor, [record["conversation_id"]], 10) == {}
    detail = api("GET", f"/api/messages/{record['id']}", X_Tenant_ID=tenant_id).get_json()
    assert (detail["state"], detail["origin"]) == ("record", "api")
    mapping = api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json()
    assert mapping["conversation_id"] == record["conversation_id"]


def test_the_same_source_id_is_the_same_record(pool: Pool, post: Callable[..., TestResponse]) -> None:
    first, again = post(source_id="crm-1"), post(source_id="crm-1", text="Another text")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    assert post(source_id="crm-1", direction="outbound").status_code == 201


def test_a_record_does_not_pass_for_the_providers_message(pool: Pool, post: Callable[..., TestResponse]) -> None:
    """Else the real one, coming later, would be taken for a duplicate and lost."""
    post(source_id="wamid.real")
    with pool.autocommit() as cursor:
        cursor.execute("SELECT count(*) FROM message_tracking WHERE source_id = 'wamid.real'")
        assert cursor.fetchone()[0] == 0


def test_a_status_goes_forward_only(api: Api, post: Callable[..., TestResponse], tenant_id: str) -> None:
    path = f"/state/message/{post(direction='outbound', status='sent', at=AT).get_json()['id']}"

    def move(status: str, **more: str) -> dict[str, Any]:
        moved: dict[str, Any] = api("PATCH", path, {"status": status, **more}, X_Tenant_ID=tenant_id).get_json()
        return moved

    failed = move("failed", reason_code="131026", reason="no such number")
    assert (failed["status"], failed["reason_code"], failed["sent_at"][:10]) == ("failed", "131026", "2026-01-02")
    delivered = move("delivered", at="2026-01-02T03:00:00Z")
    assert (delivered["status"], delivered["reason"]) == ("delivered", None)
    assert delivered["delivered_at"] == delivered["sent_at"], "nothing is delivered before it is sent"
    assert move("read")["status"] == "read"
    after = move("sent", at="2030-01-01T00:00:00Z")
    assert (after["status"], after["sent_at"][:10]) == ("read", "2026-01-02")


def test_what_the_relay_carries_is_moved_by_receipts_only(api: Api, pool: Pool, tenant_id: str) -> None:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT id FROM lines WHERE tenant_id = %s", (tenant_id,))
        line_id = str(cursor.fetchone()[0])
    message = sent_message(pool, line_id)
    answer = api("PATCH", f"/state/message/{message.id}", {"status": "read"}, X_Tenant_ID=tenant_id)
    assert "receipts" in api.error(answer, 409, "not_a_record")["message"]


def test_by_conversation(api: Api, post: Callable[..., TestResponse]) -> None:
    first = post().get_json()
    again = post(wa_id=None, conversation_id=first["conversation_id"]).get_json()
    assert again["conversation_id"] == first["conversation_id"]
    assert again["id"] != first["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"wa_id": None},
        {"conversation_id": "0b9fb2bc-52b6-4a4c-9a9d-9d4b1d0b5a10"},
        {"wa_id": "not a number"},
        {"direction": "sideways"},
        {"text": None},
        {"media_url": "https://x.example/a"},
        {"media_type": "image", "media_url": "javascript:alert(1)"},
        {"status": "recorded"},
        {"at": "0001-01-01T00:00:00+15:00"},
    ],
)
def test_what_is_no_record(post: Callable[..., TestResponse], change: dict[str, object]) -> None:
    assert post(**change).status_code == 400


def test_another_tenants_records_are_nobodys(
    api: Api, pool: Pool, post: Callable[..., TestResponse], new_tenant: Callable[..., str]
) -> None:
    record = post().get_json()
    _, foreign = api_keys.create(pool, Author("test"), new_tenant("Other"), "k", ["state:write", "messages:read"], None)
    api.error(api("PATCH", f"/state/message/{record['id']}", {"status": "read"}, key=foreign), 404, "not_found")
    body = {"conversation_id": record["conversation_id"], "direction": "inbound", "text": "Hello"}
    api.error(api("POST", "/state/message", body, key=foreign), 404, "not_found")
