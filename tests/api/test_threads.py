"""POST /api/conversations/{id}/thread, and who answers a contact in every answer that tells of a conversation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from db.contacts import conversations
from db.contacts.seen import SeenPerson
from db.pool import Pool
from relay.core.messages import Person
from relay.core.threads import SILENCE_SECONDS, ThreadFact
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from web.request.web_context import WebContext


@pytest.fixture
def talk(new_tenant: Callable[..., str], parts: WebContext, pool: Pool) -> tuple[str, str]:
    """(tenant id, conversation id): another responder has answered for an hour."""
    tenant_id, at = new_tenant(), time.time() - 3600
    seen = SeenPerson(
        tenant_id,
        active_line(parts, pool, tenant_id),
        Person("4915112345678", wa_id="4915112345678"),
        heard_at=at,
        thread=ThreadFact("elsewhere", at, "ai_agent"),
    )
    with pool.transaction() as cursor:
        [mapping] = conversations.resolve(cursor, [seen], 16)
    return tenant_id, mapping.conversation_id


def threads(api: Api, tenant_id: str, conversation_id: str) -> list[tuple[str, str | None]]:
    """As each answer has it."""
    found = [
        api("GET", path, X_Tenant_ID=tenant_id).get_json()["thread"]
        for path in (
            f"/state/conversation/{conversation_id}",
            "/state/mapping/4915112345678",
            f"/api/conversations/{conversation_id}",
        )
    ]
    listed = api("GET", "/api/conversations", X_Tenant_ID=tenant_id).get_json()["items"][0]["thread"]
    return [(one["state"], one["role"]) for one in [*found, listed]]


def test_every_answer_says_who_answers_and_nobody_knows_after_a_day(
    api: Api, talk: tuple[str, str], pool: Pool
) -> None:
    tenant_id, conversation_id = talk
    assert set(threads(api, tenant_id, conversation_id)) == {("elsewhere", "ai_agent")}
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE conversation_mappings SET thread_at = thread_at - %(day)s * interval '1 second',
                      heard_at = heard_at - %(day)s * interval '1 second' WHERE id = %(id)s""",
            {"day": SILENCE_SECONDS, "id": conversation_id},
        )
    found = api("GET", f"/api/conversations/{conversation_id}", X_Tenant_ID=tenant_id).get_json()["thread"]
    assert (found["state"], found["role"]) == ("unknown", None) and found["since"] is not None


def asked(api: Api, talk: tuple[str, str], body: Any, **headers: str) -> Any:
    tenant_id, conversation_id = talk
    return api("POST", f"/api/conversations/{conversation_id}/thread?wait=0", body, X_Tenant_ID=tenant_id, **headers)


def test_what_is_asked_for_waits_among_the_messages_and_a_repeat_is_the_same(api: Api, talk: tuple[str, str]) -> None:
    wanted = {"action": "pass", "role": "ai_agent", "note": "all\ndone"}
    first = asked(api, talk, wanted, Idempotency_Key="k1")
    assert first.status_code == 202
    told = first.get_json()
    assert (told["status"], told["thread"]["state"]) == ("received", "elsewhere")
    assert asked(api, talk, wanted, Idempotency_Key="k1").get_json()["id"] == told["id"]
    api.error(asked(api, talk, {"action": "take"}, Idempotency_Key="k1"), 409, "idempotency_key_reused")
    row = api("GET", f"/api/messages/{told['id']}", X_Tenant_ID=talk[0]).get_json()
    assert (row["type"], row["text"]) == ("thread_control", "/pass ai_agent all\ndone")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "keep"},
        {"action": "take", "role": "ai_agent"},
        {"action": "pass", "role": "ai-agent"},
        {"action": "release", "note": "x" * 2001},
        {"action": "release", "note": "\x00"},
    ],
)
def test_what_meta_would_not_take_is_refused_here(api: Api, talk: tuple[str, str], body: Any) -> None:
    api.error(asked(api, talk, body), 400, "invalid_request")


def test_nobody_hands_over_the_conversations_of_others(
    api: Api, talk: tuple[str, str], new_tenant: Callable[..., str]
) -> None:
    stranger = new_tenant("Other")
    api.error(asked(api, (stranger, talk[1]), {"action": "release"}), 404, "not_found")
