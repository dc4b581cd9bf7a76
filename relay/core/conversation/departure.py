"""The last question before a message is handed to a sender: is there a reason not to send it at all? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from relay.core.conversation import window
from relay.core.messages import Direction, Message


@dataclass(frozen=True, slots=True)
class Hindrance:
    """The state that the message ends in without a call, and why."""

    state: Literal["dead", "failed"]
    code: str
    text: str


OUTCOME_UNKNOWN = Hindrance("dead", "outcome_unknown", "nobody could tell whether it was sent")
WINDOW_CLOSED = Hindrance(
    "failed",
    "window_closed",
    "more than 24 hours have passed since the customer wrote; only an approved template may be sent",
)


def hindrance(
    direction: Direction,
    message: Message,
    window_until: float | None,
    settings: Mapping[str, Any],
    now: float,
    *,
    outcome_unknown: bool,
) -> Hindrance | None:
    """What keeps the message from being sent although its turn has come; None: it may go.

    `window_until` and `now` are Unix seconds; `settings` are the line's own; `outcome_unknown`: of its last call.
    """
    if outcome_unknown and settings.get("unknown_outcome") == "give_up":
        return OUTCOME_UNKNOWN
    if message.unreadable is not None:
        return Hindrance("failed", "command_unreadable", message.unreadable)
    if direction == "outbound" and message.type != "template" and window.closed(window_until, now):
        return WINDOW_CLOSED
    return None
