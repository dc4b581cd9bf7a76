"""Rows of one conversation and what is read of them later, for tests of what an actor knows."""

from __future__ import annotations

import time
from typing import Any

from relay.core.conversation.hold import Hold
from relay.core.mailbox import Row, Standing, Verdict
from relay.core.messages import Direction, Message, Person
from relay.core.ordering import SortKey

LONG_AGO = 1_000_000.0


def holds() -> dict[Direction, Hold]:
    """Without a hold window."""
    return {"inbound": Hold(0.0), "outbound": Hold(0.0)}


def row(name: str, direction: Direction = "outbound", at: float = LONG_AGO, source: Any = None, **more: Any) -> Row:
    message = source or Message(f"source-{name}", Person("491701"), at)
    return Row(name, "t", "l", "c", 0, direction, SortKey(at, at, 0), message, **more)


def standing(name: str, state: str) -> Standing:
    return Standing(name, "c", 0, state, None, f"source-{name}", 0.0, None, None)


def verdict(name: str, state: str, attempt: int = 1, wait: float = 60.0) -> Verdict:
    """A call that ended so, to be looked at again after `wait` seconds."""
    until = time.time() + wait
    again, unknown = (None, until) if state == "unknown" else (until, None)
    return Verdict(name, 1, attempt, state, time.time(), next_attempt_at=again, unknown_until=unknown)
