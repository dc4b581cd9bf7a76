"""The end of a conversation, from the desk to the phone, each way that Genesys tells of it."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

numbers = count(4915500800001)


@pytest.fixture(scope="module")
def line(installation: Installation) -> Line:
    return installation.tenant("Ends", settings={"end_text": "Goodbye.", "end_words": ["STOP CHAT"]})[0]


@pytest.fixture(scope="module", autouse=True)
def key(installation: Installation, line: Line) -> str:
    wanted = {"name": "EventBridge", "scopes": ["events:write"]}
    return str(installation.api("POST", f"/api/tenants/{line.tenant_id}/keys", wanted)["key"])


def told_by(installation: Installation, line: Line, **how: Any) -> None:
    """Where this line's Genesys posts its events."""
    installation.control("POST", "/accounts", {"genesys": {"integration_id": line.integration_id, **how}})


@pytest.mark.parametrize("shape", ["eventbridge", "trigger"])
def test_what_follows_an_end_arrives_after_the_agents_last_word(
    installation: Installation, line: Line, key: str, shape: str
) -> None:
    url = f"{installation.env['PUBLIC_URL']}/genesys/events"
    told_by(installation, line, events_url=url, events_key=key, events_shape=shape)
    chat = Chat(installation, line, str(next(numbers)))
    chat.writes("hello")
    chat.agent_reads_in_time("hello")
    chat.answers("anything else?")
    chat.answers("then have a good day")
    contact = chat.wa_id
    installation.control("POST", f"/agent/{contact}/leave", {"integration_id": line.integration_id, "how": "TRANSFER"})
    installation.control("POST", f"/agent/{contact}/end", {"integration_id": line.integration_id})
    chat.phone_reads_in_time("anything else?", "then have a good day", "Goodbye.")
    conversation = installation.rows("SELECT conversation_id FROM conversation_ends ORDER BY id DESC LIMIT 1")[0]
    path = f"/api/conversations/{conversation['conversation_id']}/ends"
    kinds = [one["kind"] for one in installation.api("GET", path, tenant=line.tenant_id)["items"]]
    assert kinds == ["agent_left", "over"]


def test_an_end_is_heard_on_the_websocket_where_nothing_is_set_up_at_genesys(installation: Installation) -> None:
    wanted = {"end_text": "Goodbye.", "end_listening": True}
    line = installation.tenant("Listened to", settings=wanted)[0]
    chat = Chat(installation, line, str(next(numbers))).opened()
    told_of = "SELECT since FROM event_listeners WHERE tenant_id = %s AND conversations = 1"
    wait_until(lambda: installation.rows(told_of, line.tenant_id), message="Genesys to tell of this conversation")
    installation.control("POST", f"/agent/{chat.wa_id}/end", {"integration_id": line.integration_id})
    chat.phone_reads_in_time("Goodbye.")
    told_by(installation, line, permissions=["messaging:integration:view", "conversation:message:receive"])
    chat.writes("one more question")
    chat.agent_reads_in_time("one more question")
    chat.answers("which one?")  # names the conversation that this has begun: it is to be told of
    trouble = "SELECT trouble FROM event_listeners WHERE tenant_id = %s AND trouble IS NOT NULL"
    [noted] = wait_until(lambda: installation.rows(trouble, line.tenant_id), message="the trouble to be noted")
    assert "analytics:conversationDetail:view" in noted["trouble"]


def test_a_customers_word_ends_the_conversation_at_genesys(installation: Installation, line: Line, key: str) -> None:
    told_by(installation, line, events_url=f"{installation.env['PUBLIC_URL']}/genesys/events", events_key=key)
    chat = Chat(installation, line, str(next(numbers))).opened()
    with installation.faults("genesys", html_502_rate=1, calls=["end_conversation"]):
        wamid = chat.writes("stop chat.")
        chat.agent_reads_in_time("stop chat.")
        message = installation.row(wamid)["id"]
        tries = "SELECT tries FROM end_requests WHERE message_id = %s"
        wait_until(lambda: installation.rows(tries, message)[0]["tries"] > 1, message="it to be tried again")
    chat.phone_reads_in_time("Goodbye.")
    conversation = installation.row(wamid)["conversation_id"]
    ends = installation.api("GET", f"/api/conversations/{conversation}/ends", tenant=line.tenant_id)["items"]
    assert {"asked", "over"} <= {one["kind"] for one in ends}
    assert not installation.rows(tries, message)


def test_what_the_client_may_not_do_is_found_before_a_customer_asks_for_it(
    installation: Installation, line: Line
) -> None:
    may = ["messaging:integration:view", "messaging:supportedContent:view", "conversation:message:receive"]
    told_by(installation, line, permissions=may)
    [finding] = found(installation, line, "ending")
    assert finding["level"] == "warning" and "conversation:communication:disconnect" in finding["text"]
    told_by(installation, line, permissions=[*may, "conversation:communication:disconnect"])
    assert [one["level"] for one in found(installation, line, "ending")] == ["ok"]


def test_what_an_agent_writes_bears_the_agents_name_where_it_is_known(installation: Installation) -> None:
    [line] = installation.tenant("Named", settings={"agent_name": "alias", "end_listening": True})
    chat = Chat(installation, line, str(next(numbers))).opened()
    told_of = "SELECT since FROM event_listeners WHERE tenant_id = %s AND conversations = 1"
    wait_until(lambda: installation.rows(told_of, line.tenant_id), message="Genesys to tell of this conversation")
    assert written_before(chat) == ""
    for user, shown in (("1", "Annie"), ("2", "Ben Sandbox")):
        joining = {"integration_id": line.integration_id, "user_id": f"33333333-cccc-4000-8000-00000000000{user}"}
        installation.control("POST", f"/agent/{chat.wa_id}/join", joining)
        known_as(chat, f"*{shown}*\n")
    leaving = {"integration_id": line.integration_id, "how": "TRANSFER"}
    installation.control("POST", f"/agent/{chat.wa_id}/leave", leaving)
    known_as(chat, "")


def known_as(chat: Chat, head: str) -> None:
    wait_until(lambda: written_before(chat) == head, message=f"{head!r} to be shown", interval=1.0)


def written_before(chat: Chat) -> str:
    """What the phone shows before an agent's words."""
    words = f"hello {uuid4()}"
    chat.answers(words)
    shown = wait_until(
        lambda: [one for one in chat.phone_reads() if one.endswith(words)], message="the phone to show it"
    )
    return str(shown[0]).removesuffix(words)


def found(installation: Installation, line: Line, check: str) -> list[dict[str, Any]]:
    done = installation.api("POST", f"/api/tenants/{line.tenant_id}/complete-onboarding")
    return [one for one in done["lines"][0]["findings"] if one["check"] == check]
