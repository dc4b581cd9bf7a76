"""How agents hand conversations over, and what is refused so that nobody gets a conversation by a slip of the pen."""

from __future__ import annotations

import pytest

from relay.channels.genesys.convention import applied
from relay.channels.genesys.thread_commands import HOW
from relay.core.content import Option
from relay.core.messages import Message, Person
from relay.core.threads import THREAD_CONTROL, ThreadControl


def message(text: str) -> Message:
    return Message("7f3c", Person("c"), 1764000000.0, text=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/take", ThreadControl("take")),
        ("/Take I know her ", ThreadControl("take", note="I know her")),
        ("/release", ThreadControl("release")),
        ("\u2060／release\u200b\nall done\nreally", ThreadControl("release", note="all done\nreally")),
        ("/pass", ThreadControl("pass")),
        ("/pass ai_agent", ThreadControl("pass", "ai_agent")),
        ("/pass Escalation wants  a manager", ThreadControl("pass", "escalation", "wants  a manager")),
    ],
)
def test_what_becomes_of_the_conversation(text: str, expected: ThreadControl) -> None:
    found = applied(message(text))
    assert (found.type, found.control, found.unreadable) == (THREAD_CONTROL, expected, None)


@pytest.mark.parametrize(
    "text", ["/pass ai-agent", "/pass on to somebody", "/pass: ai_agent", "/ take", "/release " + "x" * 2001]
)
def test_what_cannot_be_read_is_refused_with_how_to_write_it(text: str) -> None:
    found = applied(message(text))
    assert (found.type, found.control, found.unreadable) == (THREAD_CONTROL, None, HOW)


def test_nothing_is_handed_over_with_answers_to_tap() -> None:
    found = applied(Message("7f3c", Person("c"), 0.0, text="/release", options=(Option("Yes"),)))
    assert (found.control, found.unreadable) == (None, HOW)


@pytest.mark.parametrize("text", ["/taken seats", "/passport please", "/released in May", "take", "please /release"])
def test_other_texts_are_texts(text: str) -> None:
    assert applied(message(text)) == message(text)
