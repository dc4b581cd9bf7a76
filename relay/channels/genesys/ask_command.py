"""/ask: how an agent, a bot or a canned response has the customer asked for something by a tap.

    /ask location Where shall we bring it?
    /ask contact Under which number can we call you?
    /ask call May we call you about your order?
    /ask flow 1234567890 Please fill in the form.
    button: Open the form
    screen: WELCOME

First what is asked for, a flow with its id or its name at Meta; then what the customer reads, on this line, on those
below, or behind a bar. A flow's button may have a word of its own, and the flow a screen to begin with.
"""

from __future__ import annotations

import re
from dataclasses import replace

from relay.channels.genesys.commands import Command, UnreadableError, behind, sections, words_of
from relay.core.content import Ask, AskKind
from relay.core.languages import phrase
from relay.core.messages import Message
from relay.core.visible import as_word, trimmed

HOW = phrase(
    "what is asked for could not be read; write /ask, then location, contact, call or flow (a flow with its id), "
    "then what the customer shall read"
)
LONGEST_NAME = 128
"""Characters of a flow's id, of its name and of a screen's. Meta's own are shorter."""
_KINDS: dict[str, AskKind] = {"location": "location", "contact": "contact", "call": "call", "flow": "flow"}
_KEYWORD = re.compile(r"(button|screen)[ \t]*[:\uff1a](.*)", re.IGNORECASE)


def applied(message: Message, text: str) -> Message:
    """A file that came along goes ahead. Raises UnreadableError."""
    if message.options:
        raise UnreadableError("one message asks for one thing")
    first, lines = sections(text)
    words = words_of(first)
    kind = _KINDS.get(words[1].lower()) if len(words) > 1 and words[0].lower() == COMMAND.word else None
    if kind is None:
        raise UnreadableError("nothing that can be asked for")
    ask, said = _flow(words, lines) if kind == "flow" else (Ask(kind), lines)
    shown = trimmed("\n".join((behind(first, 3 if kind == "flow" else 2), *said)))
    if not shown and kind != "call":
        raise UnreadableError("the customer is to read something")
    return replace(message, type="ask", text=shown or None, ask=ask)


COMMAND = Command("/ask", applied, HOW, type="ask")


def _flow(words: list[str], lines: list[str]) -> tuple[Ask, list[str]]:
    """And the lines that are none of its own."""
    name = words[2] if len(words) > 2 else ""
    own: dict[str, str] = {}
    said = []
    for line in lines:
        if found := _KEYWORD.fullmatch(line):
            word, value = found[1].lower(), trimmed(found[2])
            if not value or word in own:
                raise UnreadableError(f"{word} is empty, or was given before")
            own[word] = value
        else:
            said.append(line)
    screen = as_word(own.get("screen", "")) or None
    if not 0 < len(name) <= LONGEST_NAME or len(screen or "") > LONGEST_NAME:
        raise UnreadableError("a flow has an id or a name")
    return Ask("flow", name, own.get("button"), screen), said
