"""What happened to a message, told by the API."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from psycopg2.extras import Json

from db.audit import Author
from db.contacts import conversations
from db.mailbox.messages import new_id
from db.pool import Pool
from db.tenants import rate_cards
from relay.core.messages import Person
from relay.core.rate_card import CardRate, RateCard
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from web.request.web_context import WebContext

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def tenant(new_tenant: Callable[..., str], parts: WebContext, pool: Pool) -> str:
    return new_tenant()


@pytest.fixture
def ids(tenant: str, parts: WebContext, pool: Pool) -> list[str]:
    """Five messages of one conversation; the third was tried twice."""
    line_id = active_line(parts, pool, tenant)
    mapping = conversations.find_or_create(pool, tenant, line_id, Person("4915112345678", "4915112345678"), 16)
    made = [new_id() for _ in range(5)]
    with pool.transaction() as cursor:
        for n, message_id in enumerate(made):
            at = START + timedelta(seconds=n)
            cursor.execute(
                """INSERT INTO message_tracking (id, tenant_id, line_id, conversation_id, shard, direction, source_id,
                     type, content, sort_time, arrived_at, idx, provider_time, state)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, 'text', %s, %s, %s, 0, %s, %s)""",
                (message_id, tenant, line_id, mapping.conversation_id, mapping.shard, "inbound", f"wamid.{n}",
                 f'{{"text": "message {n}"}}', at, at, at, "failed" if n == 2 else "delivered"),
            )  # fmt: skip
        for n, outcome in ((1, "retry"), (2, "sent")):
            cursor.execute(
                """INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at, outcome,
                     provider_id) VALUES (%s, %s, %s, 1, %s, %s, %s, %s)""",
                (made[2], n, line_id, START, START, outcome, "genesys-id-7" if n == 2 else None),
            )
        for event in ("received", "sent", "failed"):
            cursor.execute("INSERT INTO message_events (message_id, event) VALUES (%s, %s)", (made[2], event))
    return made


def test_the_list_has_the_newest_first_and_comes_in_pages(api: Api, tenant: str, ids: list[str]) -> None:
    first = api("GET", "/api/messages?limit=3", X_Tenant_ID=tenant).get_json()
    second = api("GET", f"/api/messages?limit=3&before={first['next']}", X_Tenant_ID=tenant).get_json()
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    assert first["items"][0]["text"] == "message 4"
    for nonsense in ("1", "x" * 300, first["next"][:-2], "%00"):
        error = api.error(api("GET", f"/api/messages?before={nonsense}", X_Tenant_ID=tenant), 400, "invalid_request")
        assert error["details"][0]["field"] == "before"


def test_filters(api: Api, tenant: str, ids: list[str]) -> None:
    def found(query: str) -> list[str]:
        return [one["id"] for one in api("GET", f"/api/messages?{query}", X_Tenant_ID=tenant).get_json()["items"]]

    assert found("state=failed") == [ids[2]]
    assert found("direction=outbound") == []
    assert found("reference=wamid.3") == [ids[3]]
    assert found("reference=genesys-id-7") == [ids[2]]
    assert found(f"reference={ids[1]}") == [ids[1]]
    conversation = api("GET", f"/api/messages/{ids[0]}").get_json()["conversation_id"]
    assert found(f"conversation_id={conversation}") == ids[::-1]
    assert found("state=failed&state=dead") == [ids[2]]
    assert found("since=2026-11-23T12:00:01Z&until=2026-11-23T12:00:03Z") == [ids[2], ids[1]]
    assert found("q=%2B49+151") == ids[::-1]
    assert found(f"conversation_id={uuid4()}") == []


def test_one_message_with_its_history(api: Api, tenant: str, ids: list[str], pool: Pool) -> None:
    with pool.transaction() as cursor:
        cursor.execute(
            "UPDATE message_attempts SET answer = %s WHERE message_id = %s AND n = 1", ('{"code":"busy"}', ids[2])
        )
    found = api("GET", f"/api/messages/{ids[2]}", X_Tenant_ID=tenant).get_json()
    assert (found["id"], found["state"], found["source_id"]) == (ids[2], "failed", "wamid.2")
    assert [one["event"] for one in found["history"]] == ["received", "sent", "failed"]
    assert [(one["n"], one["outcome"]) for one in found["calls"]] == [(1, "retry"), (2, "sent")]
    assert [one["answer"] for one in found["calls"]] == ['{"code":"busy"}', None]
    assert [one["name"] for one in found["steps"]][:3] == ["arrived", "stored", "claimed"]
    assert found["waiting_for"] is None


def test_a_message_says_what_each_of_its_copies_costs(api: Api, tenant: str, ids: list[str], pool: Pool) -> None:
    told = {
        "wamid.2": {"category": "utility", "type": "regular", "subtype": "", "country": "FR", "at": 1793000001.0},
        "wamid.1": {"category": "utility", "type": "regular", "subtype": "", "country": "DE", "at": 1793000000.0},
    }
    assert api("GET", f"/api/messages/{ids[0]}", X_Tenant_ID=tenant).get_json()["prices"] == []
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET prices = %s WHERE id = %s", (Json(told), ids[0]))
    rates = {("DE", "utility"): CardRate(Decimal("0.0456"), "")}
    rate_cards.put(pool, Author("test"), [RateCard("EUR", date(2026, 10, 1), rates)])
    try:
        first, second = api("GET", f"/api/messages/{ids[0]}", X_Tenant_ID=tenant).get_json()["prices"]
    finally:
        rate_cards.delete(pool, Author("test"), "EUR", date(2026, 10, 1))
    assert first == {
        "provider_id": "wamid.1", "at": "2026-10-26T07:33:20Z", "category": "utility", "type": "regular", "subtype": "",
        "country": "DE", "currency": "EUR", "cost": "0.0456",
    }  # fmt: skip
    assert (second["country"], second["cost"]) == ("FR", None)


def test_why_a_message_waits(api: Api, tenant: str, ids: list[str], pool: Pool) -> None:
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'received' WHERE id = ANY(%s::uuid[])", (ids[:2],))
        cursor.execute("UPDATE tenants SET status = 'paused'")
    found = api("GET", f"/api/messages/{ids[1]}", X_Tenant_ID=tenant).get_json()["waiting_for"]
    assert (found["kind"], found["message_id"]) == ("earlier", ids[0])
    assert "paused" in found["text"]


def test_the_raw_item_is_shown_without_secrets_and_every_look_is_audited(
    api: Api, tenant: str, ids: list[str], pool: Pool
) -> None:
    with pool.transaction() as cursor:
        cursor.execute("""UPDATE message_tracking SET payload = '{"token": "t", "text": "\\ud800\\u0000"}'""")
        cursor.execute("UPDATE message_tracking SET payload = NULL WHERE id = %s::uuid", (ids[1],))
    shown = api("GET", f"/api/messages/{ids[0]}/payload", X_Tenant_ID=tenant).get_json()
    assert shown == {"payload": {"token": "[secret]", "text": "\ud800\x00"}}
    assert api("GET", f"/api/messages/{ids[1]}/payload", X_Tenant_ID=tenant).get_json() == {"payload": None}
    with pool.transaction() as cursor:
        cursor.execute("SELECT subject FROM audit_log WHERE action = 'payload.viewed' ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == ids[:2]


def test_a_conversation_is_found_and_read(api: Api, tenant: str, ids: list[str], pool: Pool) -> None:
    [found] = api("GET", "/api/conversations?q=%2B49+151+1234", X_Tenant_ID=tenant).get_json()["items"]
    assert (found["wa_id"], found["last"]["message_id"], found["waiting"]) == ("4915112345678", ids[4], False)
    one = api("GET", f"/api/conversations/{found['id']}").get_json()
    assert one["aliases"] == ["4915112345678"]
    newest = api("GET", f"/api/conversations/{found['id']}/messages?limit=2").get_json()
    older = api("GET", f"/api/conversations/{found['id']}/messages?before={newest['next']}").get_json()
    assert [message["id"] for message in older["items"] + newest["items"]] == ids
    with pool.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM audit_log WHERE action = 'conversation.viewed'")
        assert cursor.fetchone() == (1,)


def test_conversations_of_nobody_and_pages_of_nowhere(api: Api, tenant: str, ids: list[str]) -> None:
    for nonsense in ("before=1", "active_since=yesterday", "line_id=1", "limit=1000", "nonsense=1"):
        api.error(api("GET", f"/api/conversations?{nonsense}", X_Tenant_ID=tenant), 400, "invalid_request")
    api.error(api("GET", f"/api/conversations/{uuid4()}", X_Tenant_ID=tenant), 404, "not_found")
    api.error(api("GET", f"/api/conversations/{uuid4()}/messages", X_Tenant_ID=tenant), 404, "not_found")
    api.error(api("GET", "/api/conversations"), 400, "tenant_missing")


def test_another_tenant_sees_none_of_it(api: Api, tenant: str, ids: list[str], new_tenant: Callable[..., str]) -> None:
    other = new_tenant("Other")
    assert api("GET", "/api/messages", X_Tenant_ID=other).get_json()["items"] == []
    assert api("GET", f"/api/messages?reference={ids[0]}", X_Tenant_ID=other).get_json()["items"] == []
    assert api("GET", "/api/messages?reference=wamid.3", X_Tenant_ID=other).get_json()["items"] == []
    api.error(api("GET", f"/api/messages/{ids[0]}", X_Tenant_ID=other), 404, "not_found")
    api.error(api("GET", "/api/messages"), 400, "tenant_missing")
    api.error(api("GET", f"/api/messages/{uuid4()}"), 404, "not_found")
