"""What follows the end of a conversation."""

from dataclasses import replace
from typing import Any

import pytest

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.ends import ConversationEnd, asked_for, following
from relay.core.messages import COPY, Media, Message, Person
from relay.core.threads import ThreadFact, ThreadState

END = ConversationEnd("over", "talk-1", 1_796_000_000.123)
OPEN = ConversationMapping(
    "c", "t", "l", "4915112345678", 0, "4915112345678", None, None, "Ada", "talk-1", window_until=END.at + 60
)
CLOSED = replace(OPEN, window_until=END.at - 1)
TEMPLATE = {"name": "goodbye", "language": "en", "parameters": ["{name}"]}


@pytest.mark.parametrize(
    ("settings", "mapping", "text", "template"),
    [
        ({}, OPEN, None, None),
        ({"end_text": ""}, OPEN, None, None),
        ({"end_text": "Bye, {name}!"}, OPEN, "Bye, Ada!", None),
        ({"end_text": "Bye, {name}!"}, replace(OPEN, name=None), "Bye, !", None),
        ({"end_text": "Bye"}, replace(OPEN, window_until=None), "Bye", None),
        ({"end_text": "Bye"}, CLOSED, None, None),
        ({"end_template": TEMPLATE}, OPEN, None, "goodbye"),
        ({"end_template": TEMPLATE, "end_text": "Bye"}, OPEN, "Bye", None),
        ({"end_template": TEMPLATE, "end_text": "Bye"}, CLOSED, None, "goodbye"),
        ({"end_template": "nonsense", "end_text": 7}, OPEN, "7", None),
    ],
)
def test_a_text_follows_while_there_may_be_one_else_the_template(
    settings: dict[str, Any], mapping: ConversationMapping, text: str | None, template: str | None
) -> None:
    found = next(iter(following(END, mapping, settings)), None)
    assert (found is None) == (text is template is None)
    if found is not None:
        assert (found.text, found.template.name if found.template else None) == (text, template)
        assert (found.source_id, found.provider_time) == ("end:talk-1:1796000000123", END.at)
    if found is not None and found.template is not None:
        assert [one.text for one in found.template.body] == ["Ada"]


@pytest.mark.parametrize(
    ("wanted", "text"),
    [("release", "/release"), ("ai_agent", "/pass ai_agent"), (None, None), ("nonsense", None), ("take", None)],
)
def test_the_thread_is_given_away_after_what_is_said(wanted: str | None, text: str | None) -> None:
    bare, said = ([one.text for one in following(END, OPEN, {"end_thread": wanted} | more)] for more in ({}, BYE))
    assert (bare, said) == ([text] if text else [], ["Bye", text] if text else ["Bye"])
    ids = [one.source_id for one in following(END, OPEN, {"end_thread": wanted} | BYE)]
    assert len(set(ids)) == len(ids)


BYE = {"end_text": "Bye"}
WORDS = {"end_words": ["STOP CHAT", "Fertig!", "结束"]}


@pytest.mark.parametrize(
    "text",
    [
        "STOP CHAT",
        "stop chat",
        "  Stop\n chat. ",
        "\u2060STOP\u200b CHAT!",
        "ＳＴＯＰ　CHAT",
        "fertig",
        "FERTIG!!",
        "结束",
    ],
)
def test_a_customer_asks_for_the_end_by_one_of_the_lines_words(text: str) -> None:
    assert asked_for(Message("s", Person("x"), 0.0, text=text), WORDS)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("please STOP CHAT", WORDS),
        ("STOPCHAT", WORDS),
        ("stop", WORDS),
        ("", WORDS),
        (None, WORDS),
        ("\u2060", WORDS),
        ("!", {"end_words": ["!", "\u2060", ""]}),
        ("STOP CHAT", {}),
        ("STOP CHAT", {"end_words": "STOP CHAT"}),
        ("STOP CHAT" + " " * 5000, WORDS),
    ],
)
def test_anything_else_is_a_message_like_any_other(text: str | None, settings: dict[str, Any]) -> None:
    assert not asked_for(Message("s", Person("x"), 0.0, text=text), settings)


def test_what_was_said_to_another_responder_and_what_stands_below_a_file_end_nothing() -> None:
    assert not asked_for(Message(f"{COPY}s", Person("x"), 0.0, text="STOP CHAT"), WORDS)
    assert not asked_for(Message("s", Person("x"), 0.0, text="STOP CHAT", media=Media("image")), WORDS)


@pytest.mark.parametrize(
    ("known", "given"), [("owned", True), ("unknown", True), ("elsewhere", False), ("idle", False)]
)
def test_a_thread_that_is_not_the_lines_is_not_given_away(known: ThreadState, given: bool) -> None:
    mapping = OPEN.told(ThreadFact(known, END.at - 60))
    assert bool(following(END, mapping, {"end_thread": "release"})) is given
