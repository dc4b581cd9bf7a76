"""What is still to be asked of Genesys while a line is caught up with, a call each, and how far that is."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from relay.channels.listings import ListedMessage
from relay.core.catch_up import Talk


@dataclass(frozen=True, slots=True)
class AskList:
    """Which messages are in this conversation?"""

    talk: Talk


@dataclass(frozen=True, slots=True)
class AskWhereabouts:
    """The conversation is over: where did the customer's newest message go?"""

    talk: Talk
    newest: str


@dataclass(frozen=True, slots=True)
class AskTexts:
    """What is in these, which nobody knows here?"""

    talk: Talk
    wanted: tuple[ListedMessage, ...]


@dataclass(frozen=True, slots=True)
class AskBegun:
    """Which conversations began since then? Nobody here may know of them: agents may have written first."""

    page: int = 1


Step = AskList | AskWhereabouts | AskTexts | AskBegun


@dataclass(slots=True)
class Progress:
    """`denied`: of each kind of step, how often the client was not permitted it.

    `skipped`: what was left out, in words.
    """

    steps: deque[Step]
    total: int
    began: float = field(default_factory=time.monotonic)
    kept: float = field(default_factory=time.monotonic)
    stepped: float = field(default_factory=time.monotonic)
    """The last time a step was done with."""
    asked: int = 0
    found: int = 0
    denied: dict[type[Step], int] = field(default_factory=dict)
    skipped: str = ""
    tries: int = 0
    left_out: int = 0
    """Conversations in a row, since Genesys did not answer about them."""

    def done(self, step: Step) -> None:
        """It is the first of them; it was answered, or is left out."""
        self.steps.popleft()
        self.asked += isinstance(step, AskList)
        self.stepped = time.monotonic()
