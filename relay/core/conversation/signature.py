"""The agent's name on what an agent writes, where a line wants it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

from relay.core.lengths import units
from relay.core.messages import Message

NameStyle = Literal["name", "first_name", "initials", "alias"]
STYLES: tuple[NameStyle, ...] = get_args(NameStyle)
LONGEST = 40
"""Characters of a name that is shown."""
MOST_TEXT = 4096
MOST_CAPTION = 1024
_MARKS = re.compile(r"[*_~`\s]+")
"""WhatsApp's own marks would come out as such, or break the name's."""
HUMAN = "human"
"""`originatingEntity` of what a person wrote, in whatever case it comes."""


@dataclass(frozen=True, slots=True)
class AgentName:
    """As the agents' side has it; `alias` is what the agent wants to be called."""

    name: str
    alias: str = ""

    def shown(self, style: str) -> str:
        """What a customer reads; "": nothing."""
        words = _MARKS.sub(" ", self.name).split()
        match style:
            case "alias":
                words = _MARKS.sub(" ", self.alias).split() or words
            case "first_name":
                words = words[:1]
            case "initials":
                return "".join(word[0] for word in words)[:LONGEST].upper()
        return " ".join(words)[:LONGEST].strip()


@dataclass(frozen=True, slots=True)
class AgentQuestion:
    """Who talks to the contact of this conversation now? `tries`: how often that was asked in vain."""

    tenant_id: str
    line_id: str
    conversation_id: str
    genesys_conversation_id: str
    tries: int = 0


def signs(message: Message, style: object) -> bool:
    """Whether it is one that bears its writer's name: a person's own words, of which it is the first part."""
    made_up = message.template or message.native or message.options or message.control or message.ask
    by_person = message.attributes.get("originating_entity", "").lower() == HUMAN
    return style in STYLES and by_person and message.part == 1 and not made_up and not message.direct


def signed(message: Message, agent: AgentName, style: str) -> Message:
    """The message with the name before its words. One that has none, or has no room for it, stays as it is."""
    shown = agent.shown(style)
    if not shown:
        return message
    media, head = message.media, f"*{shown}*\n"
    if message.text:
        text = head + message.text
        return replace(message, text=text) if units(text) <= MOST_TEXT else message
    if media is not None and media.caption:
        caption = head + media.caption
        return replace(message, media=replace(media, caption=caption)) if units(caption) <= MOST_CAPTION else message
    return message
