"""What every command of the agents' convention is made of, and how its text is taken apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from relay.core.messages import Message
from relay.core.visible import as_word, trimmed

_SLASH = re.compile("[\u2044\u2215\u29f8\uff0f]")
"""Signs that people take for a slash, or that their keyboard gives for one."""

_BAR = re.compile(r"[ \t][|\uff5c](?=[ \t]|$)")


class UnreadableError(ValueError):
    """Not written as its command wants it; never leaves the convention."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word that agents, bots and canned responses may begin a text with, and what becomes of the text.

    `read` makes the message that is meant, of the message and of its text without blanks around it; it raises
    UnreadableError. `how` says to whoever wrote one that cannot be read how it is written. `type` is the message's,
    read or not. `whole_word`: texts that go on with a letter right behind the word mean something else.
    """

    word: str
    read: Callable[[Message, str], Message]
    how: str
    type: str
    whole_word: bool = True

    def begins(self, head: str) -> bool:
        """Whether a text means it; `head` is its beginning as a word, in small letters."""
        return head.startswith(self.word) and not (self.whole_word and head[len(self.word) :][:1].isalnum())


def plain_word(text: str) -> str:
    """As people read it: whichever slash it is, and whatever unseen stands between the letters."""
    return as_word(_SLASH.sub("/", text))


def words_of(line: str) -> list[str]:
    return plain_word(line).split()


def sections(text: str) -> tuple[str, list[str]]:
    """The first line and those below it; of a single line what stands between its bars, each trimmed.

    What stands below, or between two bars, may be empty.
    """
    first, *rest = map(trimmed, text.splitlines() or [""])
    if not any(rest):
        first, *rest = (trimmed(piece) for piece in _BAR.split(first))
    return first, rest


def behind(line: str, how_many: int) -> str:
    """What stands in the line behind its first words, as it was written."""
    words = (found for found in re.finditer(r"\S+", line) if plain_word(found[0]))
    last = next(islice(words, how_many - 1, None), None)
    return trimmed(line[last.end() :]) if last else ""
