"""Rows of one conversation, and what is read of them later, for tests of what a conversation knows."""

from __future__ import annotations

from typing import Any

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.hold import Hold, Holds
from relay.core.conversation.place import Place
from relay.core.mailbox import Row, RowStatus, Verdict
from relay.core.messages import Direction, Message, Person
from relay.core.ordering import SortKey

NOW = 1_790_000_000.0
LONG_AGO = NOW - 86_400.0


def held(hold: Hold) -> Holds:
    """The same for all lines, both ways."""
    return lambda _line_id, _direction: hold


NO_HOLD = held(Hold(0.0))
PLACE = Place(0, 1, 60.0, lambda code: "window_closed" if code == "window_closed" else "general")
MAPPING = ConversationMapping("c", "t", "l", "491701", 0, "491701", None, None, None, None)


def row(name: str, direction: Direction = "outbound", at: float = LONG_AGO, source: Any = None, **more: Any) -> Row:
    message = source or Message(f"source-{name}", Person("491701"), at)
    return Row(name, "t", "l", "c", 0, direction, more.pop("key", SortKey(at, at, 0)), message, **more)


def row_status(name: str, state: str, report: str | None = None, **more: Any) -> RowStatus:
    return RowStatus(name, "c", 0, state, report, f"source-{name}", 0.0, more.pop("code", None), None, **more)


def verdict(name: str, state: str, attempt: int = 1, at: float = NOW, wait: float = 60.0) -> Verdict:
    """A call that ended so, to be looked at again after `wait` seconds."""
    again, unknown = (None, at + wait) if state == "unknown" else (at + wait, None)
    return Verdict(name, 1, attempt, state, at, next_attempt_at=again, unknown_until=unknown)
