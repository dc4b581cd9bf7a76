"""What the phone shows beside messages: that an agent types, and that the agents' side has read."""

from __future__ import annotations

from itertools import count

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

numbers = count(4915600000001)


def opened(installation: Installation, line: Line) -> Chat:
    return Chat(installation, line, str(next(numbers))).opened()


def shows_typing(chat: Chat) -> bool:
    path = f"/phone/{chat.wa_id}/messages?to={chat.line.phone_number_id}"
    return bool(chat.installation.control("GET", path)["typing"])


def mark(chat: Chat) -> str:
    """What the phone shows beside its first message, once Meta has handed it over."""
    return str(wait_until(lambda: chat.sent_by_phone()[0]["status"].removeprefix("sent"), message="its mark"))


def test_the_phone_shows_that_an_agent_types(installation: Installation, line: Line) -> None:
    chat = opened(installation, line)
    assert not shows_typing(chat)
    chat.answers(typing=True)
    wait_until(lambda: shows_typing(chat), message="the phone to show typing")
    chat.answers("here I am")
    chat.phone_reads_in_time("here I am")


def test_a_line_may_keep_typing_to_itself(installation: Installation) -> None:
    quiet = installation.tenant("Quiet", settings={"show_typing": False})[0]
    chat = opened(installation, quiet)
    chat.answers(typing=True)
    chat.answers("here I am")
    chat.phone_reads_in_time("here I am")
    assert mark(chat) == "delivered", "neither typing nor a read mark was sent"


def test_a_line_may_mark_messages_as_read_when_genesys_has_them(installation: Installation) -> None:
    reading = installation.tenant("Reading", settings={"mark_read": True})[0]
    chat = opened(installation, reading)
    wait_until(lambda: chat.sent_by_phone()[0]["status"] == "read", message="the first to be marked read")
    chat.writes("one")
    chat.writes("two")
    wait_until(lambda: all(one["status"] == "read" for one in chat.sent_by_phone()), message="all to be marked read")


def test_otherwise_they_are_only_delivered(installation: Installation, line: Line) -> None:
    chat = opened(installation, line)
    chat.answers("I have read it")
    chat.phone_reads_in_time("I have read it")
    assert mark(chat) == "delivered"
