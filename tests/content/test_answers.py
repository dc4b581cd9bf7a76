"""What a customer taps comes back to Genesys as the payload that the bot had given, however long it is."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

numbers = count(4915700000001)
LONG = 1000


@pytest.fixture
def chat(installation: Installation, line: Line) -> Chat:
    return Chat(installation, line, str(next(numbers))).opened()


def payload(number: int) -> str:
    """1,000 characters, the same but for the last ones: what is cut anywhere on the way is mixed up."""
    return ("ü€😀" * LONG)[: LONG - 6] + f"{number:06d}"


def quick_replies(how_many: int) -> list[dict[str, Any]]:
    texts = [f"I would like to have option number {number}" for number in range(how_many)]
    return [
        {"contentType": "QuickReply", "quickReply": {"text": text, "payload": payload(number)}}
        for number, text in enumerate(texts)
    ]


def card() -> list[dict[str, Any]]:
    actions = [{"type": "Postback", "text": f"Buy {number}", "payload": payload(number)} for number in range(3)]
    return [{"contentType": "Card", "card": {"title": "A tent", "description": "For two", "actions": actions}}]


def shown(chat: Chat) -> dict[str, Any]:
    """The newest message on the phone that offers something to tap."""
    wait_until(lambda: any(one["interactive"] for one in chat.on_the_phone()), message="something to tap")
    return next(one for one in reversed(chat.on_the_phone()) if one["interactive"])


def response(chat: Chat) -> dict[str, Any]:
    def answered() -> list[dict[str, Any]]:
        return [one["button_response"] for one in chat.at_the_desk() if one["button_response"]]

    wait_until(lambda: bool(answered()), message="the answer at the desk")
    return answered()[-1]


def tap(chat: Chat, offer: dict[str, Any], option: int) -> None:
    body = {"from": chat.wa_id, "to": chat.line.phone_number_id, "id": offer["id"], "option": option}
    chat.installation.control("POST", "/phone/taps", body)


@pytest.mark.parametrize(
    ("content", "kind", "type_"),
    [
        pytest.param(quick_replies(3), "button", "QuickReply", id="quick reply"),
        pytest.param(quick_replies(8), "list", "QuickReply", id="list row"),
        pytest.param(card(), "button", "Button", id="card button"),
    ],
)
def test_a_tap_brings_back_the_payload(chat: Chat, content: list[dict[str, Any]], kind: str, type_: str) -> None:
    origin = chat.answers("Which one?", type="Structured", content=content)
    offer = shown(chat)
    assert offer["interactive"]["kind"] == kind
    assert len({one["title"] for one in offer["interactive"]["options"]}) == len(offer["interactive"]["options"])
    tap(chat, offer, 1)
    found = response(chat)
    assert (found["type"], found["payload"]) == (type_, payload(1))
    assert found["originating_message_id"] == origin


def test_more_options_than_a_phone_can_show_are_answered_by_number(chat: Chat) -> None:
    chat.answers("Which one?", type="Structured", content=quick_replies(12))
    wait_until(lambda: len(chat.on_the_phone()) == 1, message="the question")
    assert "12. I would like to have option number 11" in chat.phone_reads()[0]
    chat.writes("12")
    assert response(chat)["payload"] == payload(11)


def test_a_number_that_answers_nothing_is_a_text(chat: Chat) -> None:
    chat.answers("How many?")
    chat.phone_reads_in_time("How many?")
    chat.writes("3")
    chat.agent_reads_in_time("hello", "3")
    assert not any(one["button_response"] for one in chat.at_the_desk())


def test_a_tap_without_its_context_is_understood(chat: Chat) -> None:
    """Meta names the message that was answered; should it not, the button's own id says enough."""
    chat.answers("Which one?", type="Structured", content=quick_replies(3))
    option = shown(chat)["interactive"]["options"][2]
    reply = {"type": "button_reply", "button_reply": {"id": option["id"], "title": option["title"]}}
    chat.writes(type="interactive", message={"interactive": reply})
    assert response(chat)["payload"] == payload(2)


def test_nobody_answers_for_somebody_else(installation: Installation, line: Line, chat: Chat) -> None:
    """An id from another conversation brings no payload back: it is a text."""
    chat.answers("Which one?", type="Structured", content=quick_replies(3))
    option = shown(chat)["interactive"]["options"][0]
    other = Chat(installation, line, str(next(numbers))).opened()
    reply = {"type": "button_reply", "button_reply": {"id": option["id"], "title": "mine"}}
    other.writes(type="interactive", message={"interactive": reply})
    other.agent_reads_in_time("hello", "mine")
    assert not any(one["button_response"] for one in other.at_the_desk())
