"""The agent's name on what an agent writes: how it looks, and what bears none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relay.core.content import Template
from relay.core.conversation.signature import STYLES, AgentName, signed, signs
from relay.core.messages import Media, Message, Person
from relay.core.threads import ThreadControl

BY_AGENT = {"originating_entity": "Human"}
HELLO = Message("s", Person("491701"), 0.0, text="hello", attributes=BY_AGENT)
ANA = AgentName("Ana Maria Silva", "Annie")


@pytest.mark.parametrize(
    ("agent", "style", "shown"),
    [
        (ANA, "name", "Ana Maria Silva"),
        (ANA, "first_name", "Ana"),
        (ANA, "initials", "AMS"),
        (ANA, "alias", "Annie"),
        (AgentName("Ana"), "alias", "Ana"),
        (AgentName("*Ana*\n_Silva_"), "name", "Ana Silva"),
        (AgentName("x" * 90), "name", "x" * 40),
        (AgentName(" ** "), "name", ""),
        (AgentName(""), "initials", ""),
    ],
)
def test_a_name_is_shown_as_the_line_wants_it(agent: AgentName, style: str, shown: str) -> None:
    assert agent.shown(style) == shown
    assert signed(HELLO, agent, style).text == (f"*{shown}*\nhello" if shown else "hello")


@pytest.mark.parametrize(
    "more",
    [
        {"attributes": {"originating_entity": "Bot"}}, {"attributes": {}}, {"part": 2}, {"direct": True},
        {"template": Template("a", "en")}, {"control": ThreadControl("take")},
    ],
)  # fmt: skip
def test_only_the_first_part_of_a_persons_own_words_bears_it(more: dict[str, Any]) -> None:
    assert all(signs(HELLO, style) for style in STYLES)
    assert not signs(replace(HELLO, **more), "name")
    assert not signs(HELLO, None)
    assert not signs(HELLO, "shoe size")


def test_it_stands_before_a_files_caption_and_nowhere_without_room() -> None:
    captioned = replace(HELLO, text=None, media=Media("image", "image/png", caption="see"))
    media = signed(captioned, ANA, "first_name").media
    assert media is not None
    assert media.caption == "*Ana*\nsee"
    bare = replace(HELLO, text=None, media=Media("image", "image/png"))
    full = replace(HELLO, text="x" * 4096)
    full_caption = replace(HELLO, text=None, media=Media("image", "image/png", caption="x" * 1024))
    for one in (bare, full, full_caption):
        assert signed(one, ANA, "name") == one
