"""One person keeps one conversation: without a number, with a new one, and when a number is given to somebody else."""

from __future__ import annotations

import secrets
import time
from itertools import count
from typing import Any

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

numbers = count(4915800000001)


def opened(installation: Installation, line: Line) -> Chat:
    return Chat(installation, line, str(next(numbers))).opened()


def change(chat: Chat, **settings: Any) -> None:
    chat.installation.control("POST", f"/phone/{chat.wa_id}", settings)


def new_number(chat: Chat, wa_id: str, **more: Any) -> Chat:
    """The customer's phone goes on under another number; Genesys knows the contact by the old one."""
    chat.installation.control("POST", f"/phone/{chat.wa_id}/number", {"wa_id": wa_id, **more})
    told(chat, "changed the phone number")
    return Chat(chat.installation, chat.line, wa_id, contact=chat.wa_id)


def told(chat: Chat, news: str) -> None:
    """The agent has been told: whoever writes sooner, within the same moment, may still count as somebody new."""
    wait_until(lambda: news in chat.agent_reads()[-1], message=f"the agent to read that the customer {news}")


def conversations(chat: Chat) -> set[str]:
    return {one["conversation_id"] for one in chat.at_the_desk()}


def test_a_contact_who_loses_the_phone_number_keeps_the_conversation(installation: Installation, line: Line) -> None:
    chat = opened(installation, line)
    change(chat, hide_phone=True)
    chat.writes("now I have a username instead")
    chat.agent_reads_in_time("hello", "now I have a username instead")
    assert len(conversations(chat)) == 1
    chat.answers("we know you")
    chat.phone_reads_in_time("we know you")


def test_a_contact_who_never_showed_a_number_is_answered_by_user_id(installation: Installation, line: Line) -> None:
    wa_id, user_id = str(next(numbers)), f"DE.{secrets.token_hex(12)}"
    chat = Chat(installation, line, wa_id, contact=user_id)
    change(chat, hide_phone=True, user_id=user_id, username="kira")
    chat.writes("no number here")
    chat.agent_reads_in_time("no number here")
    chat.answers("none needed")
    chat.phone_reads_in_time("none needed")
    path = f"/state/mapping/{user_id}?phone_number_id={line.phone_number_id}"
    found = installation.api("GET", path, tenant=line.tenant_id)
    assert (found["bsuid"], found["username"]) == (user_id, "kira")
    assert "bsuid_in_to" not in installation.control("GET", "/stats")["findings_count"]


def test_a_number_that_shows_up_later_belongs_to_the_same_conversation(installation: Installation, line: Line) -> None:
    wa_id, user_id = str(next(numbers)), f"DE.{secrets.token_hex(12)}"
    chat = Chat(installation, line, wa_id, contact=user_id)
    change(chat, hide_phone=True, user_id=user_id)
    chat.writes("no number yet")
    chat.agent_reads_in_time("no number yet")
    change(chat, hide_phone=False)
    chat.writes("here it is")
    chat.agent_reads_in_time("no number yet", "here it is")


def test_a_contact_who_changes_the_number_keeps_the_conversation(installation: Installation, line: Line) -> None:
    old = opened(installation, line)
    moved = new_number(old, str(next(numbers)))
    moved.writes("this is my new number")
    moved.agent_reads_in_time("this is my new number")
    assert len(conversations(moved)) == 1
    assert moved.agent_reads()[0] == "hello"
    moved.answers("noted")
    moved.phone_reads_in_time("noted")
    assert [one["id"] for one in old.on_the_phone()] == [], "nothing goes to the old number"


def test_a_contact_whose_user_id_changes_keeps_the_conversation(installation: Installation, line: Line) -> None:
    wa_id, user_id = str(next(numbers)), f"DE.{secrets.token_hex(12)}"
    chat = Chat(installation, line, wa_id, contact=user_id)
    change(chat, hide_phone=True, user_id=user_id)
    chat.writes("hello")
    chat.agent_reads_in_time("hello")
    installation.control("POST", f"/phone/{wa_id}/user_id", {})
    told(chat, "a new user id")
    chat.writes("still me")
    wait_until(lambda: "still me" in chat.agent_reads(), message="the message under the new user id")
    chat.answers("still us")
    chat.phone_reads_in_time("still us")


def test_a_number_given_to_somebody_else_is_a_new_contact(installation: Installation, line: Line) -> None:
    old = opened(installation, line)
    moved = new_number(old, str(next(numbers)))
    moved.writes("I moved")
    moved.agent_reads_in_time("I moved")

    # Whoever has the number next has another user id, and so the contact at Genesys is another one too.
    stranger = f"DE.{secrets.token_hex(12)}"
    change(old, user_id=stranger, name="Somebody else")
    source = old.writes("who is this?", timestamp=int(time.time()) + 2)
    row = old.state_in_time(source, "sent", "delivered")
    before = installation.row(moved.sent_by_phone()[-1]["id"])
    assert row["conversation_id"] != before["conversation_id"]
    mapping = installation.rows("SELECT * FROM conversation_mappings WHERE id = %s", row["conversation_id"])[0]
    assert mapping["genesys_address"] != old.wa_id

    Chat(installation, line, old.wa_id, contact=mapping["genesys_address"]).answers("a stranger")
    old.phone_reads_in_time("a stranger")
    moved.answers("an old friend")
    moved.phone_reads_in_time("an old friend")


def test_the_numbers_of_brazil_mexico_and_argentina_are_one_however_they_are_written(
    installation: Installation, line: Line
) -> None:
    """Meta writes them without the digit that people dial."""
    spellings = {"5511987654321": "551187654321", "5215512345678": "525512345678", "5491123456789": "541123456789"}
    for dialled, written in spellings.items():
        chat = Chat(installation, line, written).opened()
        body = {"to": f"+{dialled}", "phone_number_id": line.phone_number_id, "text": "the same person"}
        sent = installation.api("POST", "/whatsapp/send", body, tenant=line.tenant_id)
        theirs = str(installation.row(chat.sent_by_phone()[0]["id"])["conversation_id"])
        assert sent["conversation_id"] == theirs, dialled
        chat.phone_reads_in_time("the same person")
