"""Conversation Routing: each row of the table of who gets what, end to end, with the sandbox's second responder.

Three lines: with copies of what the other one answers, without, and one that is the escalation partner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import pytest

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

AGENT_FIRST = {"service": "business_agent", "marketing": "business_agent", "utility": "business_agent"}
NUMBERS = count(4917280000000)


@dataclass(frozen=True)
class RoutedLine:
    """A line whose number the Business Agent shares."""

    installation: Installation
    line: Line

    def routing(self, **settings: Any) -> None:
        self.installation.control("POST", "/routing", {"phone_number_id": self.line.phone_number_id, **settings})

    def chat(self) -> Chat:
        return Chat(self.installation, self.line, str(next(NUMBERS)))


@pytest.fixture(scope="module")
def lines(installation: Installation) -> tuple[RoutedLine, RoutedLine, RoutedLine]:
    escalation = {"responder_role": "escalation", "take_over": True, "mark_read": True, "end_thread": "release"}
    others, [partner] = installation.tenant("Routed", lines=2), installation.tenant("Partner", settings=escalation)
    made = [RoutedLine(installation, one) for one in (*others, partner)]
    for one in made:
        one.routing(on=True, primary=AGENT_FIRST, roles={"escalation": "business_agent"}, recap=None)
    made[0].routing(standby=True)
    made[2].routing(standby=True, roles={"escalation": "app"})
    return made[0], made[1], made[2]


@pytest.fixture
def hearing(lines: tuple[RoutedLine, ...]) -> RoutedLine:
    return lines[0]


@pytest.fixture
def deaf(lines: tuple[RoutedLine, ...]) -> RoutedLine:
    return lines[1]


@pytest.fixture
def partner(lines: tuple[RoutedLine, ...]) -> RoutedLine:
    return lines[2]


def agent(chat: Chat, action: str, **more: Any) -> None:
    """The other responder asks for a change of the thread."""
    body = {"to": chat.line.phone_number_id, "action": action, **more}
    chat.installation.control("POST", f"/routing/threads/{chat.wa_id}", body)


def owner(chat: Chat) -> str | None:
    """As Meta has it."""
    where = f"/routing/threads/{chat.wa_id}?to={chat.line.phone_number_id}"
    found: str | None = chat.installation.control("GET", where)["owner"]
    return found


def conversation(chat: Chat) -> dict[str, Any]:
    """As the relay has it."""
    found = chat.installation.api("GET", f"/api/conversations?q={chat.wa_id}", tenant=chat.line.tenant_id)["items"]
    return dict(found[0]) if found else {"thread": {"state": None, "role": None}}


def known(chat: Chat, state: str, role: str | None = None) -> None:
    def there() -> bool:
        return (conversation(chat)["thread"]["state"], conversation(chat)["thread"]["role"]) == (state, role)

    wait_until(there, message=f"the thread to be {state}", interval=0.2)


def controls(chat: Chat) -> list[dict[str, Any]]:
    """What was asked of the thread, the oldest first."""
    return chat.installation.rows(
        """SELECT m.id, m.state, m.reason_code, m.reason, m.content->>'text' AS text FROM message_tracking m
           JOIN conversation_mappings c ON c.id = m.conversation_id
           WHERE c.wa_id = %s AND m.type = 'thread_control' ORDER BY m.seq""",
        chat.wa_id,
    )


def asked(chat: Chat, words: str, *states: str) -> dict[str, Any]:
    """What became of a command that an agent wrote."""
    return chat.state_in_time(chat.answers(words), *states)


def thread(chat: Chat, **body: Any) -> dict[str, Any]:
    """The same by program."""
    path = f"/api/conversations/{conversation(chat)['id']}/thread"
    return dict(chat.installation.api("POST", path, body, tenant=chat.line.tenant_id))


def passed_to_us(routed: RoutedLine, **more: Any) -> Chat:
    """The agent had the customer, and hands them over."""
    chat = routed.chat()
    chat.writes("my parcel is late")
    wait_until(lambda: owner(chat) == "business_agent", message="the agent to have it")
    agent(chat, "pass", target_role="customer_service", **more)
    return chat


# Who gets what


def test_what_comes_on_an_idle_thread_whose_primary_we_are_is_ours(deaf: RoutedLine) -> None:
    deaf.routing(primary={"service": "app"})
    chat = deaf.chat()
    chat.writes("hello")
    chat.agent_reads_in_time("hello")
    assert chat.at_the_desk()[-1]["custom_attributes"]["whatsapp_thread"] == "owned"
    known(chat, "owned")
    chat.answers("good morning")
    chat.phone_reads_in_time("good morning")
    deaf.routing(primary=AGENT_FIRST)


def test_what_another_answers_is_kept_and_not_carried_marked_or_answered(partner: RoutedLine) -> None:
    chat = partner.chat()
    source = chat.writes("my parcel is late")
    assert "another responder" in chat.state_in_time(f"copy:{source}", "ignored")["reason"]
    said = {"to": chat.line.phone_number_id, "text": "It comes on Friday."}
    echo = chat.installation.control("POST", f"/routing/threads/{chat.wa_id}/messages", said)["id"]
    chat.state_in_time(f"copy:{echo}", "ignored")
    known(chat, "elsewhere")
    assert chat.at_the_desk() == []
    assert [one["read"] for one in chat.sent_by_phone() if "read" in one] in ([], [False], [None])


def test_the_same_message_by_both_fields_is_carried_once(hearing: RoutedLine) -> None:
    chat = passed_to_us(hearing)
    chat.agent_reads_in_time("[The AI agent handed this conversation over.]")
    source = chat.writes("are you there?")
    chat.installation.wait_for(source, "sent", "delivered", "read")
    told = {"messages": [{"id": source, "from": chat.wa_id, "timestamp": "1764000000", "type": "text",
                          "text": {"body": "are you there?"}}]}  # fmt: skip
    body = {"to": chat.line.phone_number_id, "standby": told}
    chat.installation.control("POST", f"/routing/threads/{chat.wa_id}/standby", body)
    chat.state_in_time(f"copy:{source}", "ignored")
    assert chat.agent_reads()[1:] == ["are you there?"]
    known(chat, "owned", "customer_service")  # the copy is older than the message: it turns nothing back


def test_of_what_another_answers_without_copies_nothing_comes(deaf: RoutedLine) -> None:
    chat = deaf.chat()
    chat.writes("my parcel is late")
    wait_until(lambda: owner(chat) == "business_agent", message="the agent to have it")
    other = Chat(chat.installation, chat.line, str(next(NUMBERS)))
    agent_passes = partial(agent, other, "pass", target_role="customer_service")
    other.writes("hello")
    agent_passes()
    other.agent_reads_in_time("[The AI agent handed this conversation over.]")
    assert conversation(chat)["thread"]["state"] is None, "nobody was told of this customer"


@pytest.mark.parametrize("recap", ["summary", "history"])
def test_what_is_passed_to_us_stands_at_the_desk_with_note_and_recap_before_the_next_message(
    deaf: RoutedLine, recap: str
) -> None:
    deaf.routing(recap=recap)
    chat = passed_to_us(deaf, metadata="wants a person")
    chat.writes("hello?")
    wait_until(lambda: len(chat.agent_reads()) >= 3, message="handover, recap and message")
    handover, told, message, *more = chat.agent_reads()
    assert handover == "[The AI agent handed this conversation over. Their note: wants a person]"
    assert "written by a machine" in told and "my parcel is late" in told
    assert (message, more) == ("hello?", [])
    known(chat, "owned", "customer_service")
    chat.answers("what can I do for you?")
    chat.phone_reads_in_time("what can I do for you?")
    deaf.routing(recap=None)


def test_a_recap_beside_the_first_message_stands_before_it_once(deaf: RoutedLine) -> None:
    deaf.routing(primary={"service": "app"}, recap="summary", recap_on_messages="every")
    chat = deaf.chat()
    chat.writes("hello")
    chat.writes("hello?")
    wait_until(lambda: "hello?" in chat.agent_reads(), message="the message")
    read = chat.agent_reads()
    assert [one for one in read if not one.startswith("[Recap")] == ["hello", "hello?"]
    assert len(read) == len(set(read)), "none of them twice"
    deaf.routing(primary=AGENT_FIRST, recap=None, recap_on_messages="first")


def test_what_the_escalation_partner_takes_is_told_and_what_is_written_then_fails_with_words(
    hearing: RoutedLine,
) -> None:
    chat = passed_to_us(hearing)
    chat.writes("are you there?")
    chat.agent_reads_in_time("[The AI agent handed this conversation over.]", "are you there?")
    agent(chat, "take")
    wait_until(lambda: "took this conversation over" in chat.agent_reads()[-1], message="the agent to be told")
    known(chat, "elsewhere", "escalation")
    row = asked(chat, "one moment", "failed")
    assert row["reason_code"] == "131070" and "another responder" in row["reason"]
    [receipt] = wait_until(lambda: chat.receipts(row["source_id"]), message="the agent to be told")
    assert receipt["reasons"][0]["code"] == "MessageNotAllowed"
    assert "another responder" in receipt["reasons"][0]["message"]


def test_that_nobody_has_it_any_more_nobody_tells_and_a_day_later_nothing_is_believed(deaf: RoutedLine) -> None:
    chat = passed_to_us(deaf)
    known(chat, "owned", "customer_service")
    silence = {"to": chat.line.phone_number_id, "hours": 25}
    chat.installation.control("POST", f"/routing/threads/{chat.wa_id}/silence", silence)
    assert owner(chat) is None
    days_ago = "UPDATE conversation_mappings SET thread_at = thread_at - interval '25 hours' WHERE wa_id = %s"
    chat.installation.rows(f"{days_ago} RETURNING id", chat.wa_id)
    known(chat, "unknown")
    row = asked(chat, "are you still there?", "failed")
    assert row["reason_code"] in ("131070", "131047")


# Sending while another one has the thread


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_however_meta_says_that_another_one_has_it_the_cause_is_the_same(hearing: RoutedLine, how: str) -> None:
    hearing.routing(not_owner=how)
    chat = hearing.chat()
    source = chat.writes("my parcel is late")
    chat.state_in_time(f"copy:{source}", "ignored")
    row = asked(chat, "may I help?", "failed")
    assert row["reason_code"] == "131070"
    known(chat, "elsewhere")
    hearing.routing(not_owner="refused")


def test_the_escalation_partner_takes_the_thread_once_before_it_writes(partner: RoutedLine) -> None:
    chat = partner.chat()
    source = chat.writes("I want a manager")
    chat.state_in_time(f"copy:{source}", "ignored")
    known(chat, "elsewhere")
    first = chat.answers("the manager is here")
    chat.answers("what can I do?")
    chat.phone_reads_in_time("the manager is here", "what can I do?")
    assert owner(chat) == "app"
    known(chat, "owned")
    row = chat.installation.row(first)
    calls = chat.installation.rows("SELECT detail FROM message_attempts WHERE message_id = %s", row["id"])
    assert [one["detail"] for one in calls] == ["the conversation was taken over first"]


def test_where_taking_has_no_clear_answer_the_message_goes_and_meta_decides(partner: RoutedLine) -> None:
    chat = partner.chat()
    source = chat.writes("I want a manager")
    chat.state_in_time(f"copy:{source}", "ignored")
    known(chat, "elsewhere")
    with chat.installation.faults("meta", html_502_processed_rate=1.0, calls=["thread_control"]):
        chat.answers("the manager is here")
        chat.phone_reads_in_time("the manager is here")
    assert owner(chat) == "app"


def test_a_thread_of_which_meta_tells_late_that_another_has_it_is_taken_and_the_message_goes_once(
    partner: RoutedLine,
) -> None:
    partner.routing(not_owner="failed", implicit_take=False)
    chat = partner.chat()
    source = chat.writes("I want a manager")
    chat.state_in_time(f"copy:{source}", "ignored")
    long_ago = "thread_at = thread_at - interval '25 hours', heard_at = heard_at - interval '25 hours'"
    chat.installation.rows(f"UPDATE conversation_mappings SET {long_ago} WHERE wa_id = %s RETURNING id", chat.wa_id)
    row = chat.state_in_time(chat.answers("the manager is here"), "delivered", "read")
    assert chat.phone_reads() == ["the manager is here"]
    assert owner(chat) == "app"
    told = "SELECT outcome, code, detail FROM message_attempts WHERE message_id = %s ORDER BY n"
    first, second = chat.installation.rows(told, row["id"])
    assert (first["outcome"], first["code"]) == ("undelivered", "131070")
    assert (second["outcome"], second["detail"]) == ("sent", "the conversation was taken over first")
    partner.routing(not_owner="refused", implicit_take=True)


# Passing, releasing, taking


def test_agents_release_pass_and_take_in_the_order_in_which_they_write(partner: RoutedLine) -> None:
    chat = passed_to_us(partner)
    chat.agent_reads_in_time("[The AI agent handed this conversation over.]")
    chat.answers("good-bye")
    asked(chat, "/pass ai_agent all done", "sent")
    chat.phone_reads_in_time("good-bye")
    assert owner(chat) == "business_agent"
    known(chat, "elsewhere", "ai_agent")
    asked(chat, "/take", "sent")
    assert owner(chat) == "app"
    known(chat, "owned")
    asked(chat, "/release", "sent")
    assert owner(chat) is None
    known(chat, "idle")
    assert chat.phone_reads() == ["good-bye"], "the customer sees nothing of it"


def test_programs_pass_release_and_take(hearing: RoutedLine) -> None:
    chat = passed_to_us(hearing)
    known(chat, "owned", "customer_service")
    done = thread(chat, action="pass", role="ai_agent", note="all done")
    assert (done["status"], done["thread"]["state"], done["thread"]["role"]) == ("sent", "elsewhere", "ai_agent")
    assert owner(chat) == "business_agent"
    refused = thread(chat, action="take")
    assert (refused["status"], refused["reason_code"]) == ("failed", "2494191")
    assert "escalation partner" in refused["reason"] and refused["thread"]["state"] == "elsewhere"


def test_what_has_no_clear_answer_is_unknown_and_not_asked_for_twice(hearing: RoutedLine) -> None:
    chat = passed_to_us(hearing)
    known(chat, "owned", "customer_service")
    with chat.installation.faults("meta", html_502_processed_rate=1.0, calls=["thread_control"]):
        done = thread(chat, action="release")
    assert (done["status"], done["reason_code"], done["thread"]["state"]) == ("dead", "outcome_unknown", "unknown")
    assert owner(chat) is None, "it had worked"
    [row] = controls(chat)
    calls = chat.installation.rows("SELECT outcome FROM message_attempts WHERE message_id = %s", row["id"])
    assert [one["outcome"] for one in calls] == ["unknown"]


def test_an_account_that_may_not_hand_over_keeps_its_line(deaf: RoutedLine) -> None:
    deaf.routing(primary={"service": "app"}, enrolled=False)
    chat = deaf.chat()
    chat.writes("hello")
    chat.agent_reads_in_time("hello")
    assert asked(chat, "/release", "failed")["reason_code"] == "10"
    chat.answers("still here")
    chat.phone_reads_in_time("still here")
    deaf.routing(primary=AGENT_FIRST, enrolled=True)


def test_a_mistyped_role_gives_the_conversation_to_nobody(hearing: RoutedLine) -> None:
    chat = passed_to_us(hearing)
    known(chat, "owned", "customer_service")
    row = asked(chat, "/pass ai-agent", "failed")
    assert (row["reason_code"], "/pass ai_agent" in row["reason"]) == ("command_unreadable", True)
    assert owner(chat) == "app"


def test_where_a_line_wants_it_the_thread_is_released_when_the_conversation_ends_at_genesys(
    partner: RoutedLine,
) -> None:
    installation, line = partner.installation, partner.line
    wanted = {"name": "ends", "scopes": ["events:write"]}
    key = installation.api("POST", f"/api/tenants/{line.tenant_id}/keys", wanted)["key"]
    told = {"events_url": f"{installation.env['PUBLIC_URL']}/genesys/events", "events_key": key}
    account = {"genesys": {"integration_id": line.integration_id, "events_shape": "trigger", **told}}
    installation.control("POST", "/accounts", account)
    chat = passed_to_us(partner)
    chat.agent_reads_in_time("[The AI agent handed this conversation over.]")
    chat.answers("good-bye")
    installation.control("POST", f"/agent/{chat.wa_id}/end", {"integration_id": line.integration_id})
    chat.phone_reads_in_time("good-bye")
    wait_until(lambda: owner(chat) is None, message="nobody to have it")
    known(chat, "idle")
    assert [(one["text"], one["state"]) for one in controls(chat)] == [("/release", "sent")]
