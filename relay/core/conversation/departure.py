"""The last question before a message is handed to a sender: is there a reason not to send it at all? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from relay.core.conversation import window
from relay.core.conversation.ends import follows_end
from relay.core.languages import phrase
from relay.core.messages import Direction, Message
from relay.core.threads import LATEST_SECONDS, THREAD_CONTROL


@dataclass(frozen=True, slots=True)
class Hindrance:
    """The state that the message ends in without a call, and why."""

    state: Literal["dead", "failed"]
    code: str
    text: str


OUTCOME_UNKNOWN = Hindrance("dead", "outcome_unknown", phrase("nobody could tell whether it was sent"))
HANDOVER_UNKNOWN = Hindrance(
    "dead",
    "outcome_unknown",
    phrase("nobody could tell whether the conversation was handed over; it is not asked for twice"),
)
HANDOVER_TOO_LATE = Hindrance(
    "failed",
    "control_too_late",
    phrase("it could not be done in time, and others may have begun to talk since: ask again"),
)
OVERTAKEN = Hindrance(
    "failed",
    "end_overtaken",
    phrase("the customer has written again since the conversation ended: nothing follows that end"),
)
WINDOW_CLOSED = Hindrance(
    "failed",
    "window_closed",
    phrase("more than 24 hours have passed since the customer wrote; only an approved template may be sent"),
)


def hindrance(
    direction: Direction,
    message: Message,
    window_until: float | None,
    settings: Mapping[str, Any],
    now: float,
    *,
    outcome_unknown: bool,
    heard_at: float | None = None,
) -> Hindrance | None:
    """What keeps the message from being sent although its turn has come; None: it may go.

    `window_until` and `now` are Unix seconds; `settings` are the line's own; `outcome_unknown`: of its last call;
    `heard_at`: when the contact last wrote, to whomever.
    """
    if message.unreadable is not None:
        return Hindrance("failed", "command_unreadable", message.unreadable)
    if follows_end(message) and heard_at is not None and heard_at > message.provider_time:
        return OVERTAKEN
    if message.type == THREAD_CONTROL:
        too_late = now - message.provider_time > LATEST_SECONDS
        return HANDOVER_UNKNOWN if outcome_unknown else HANDOVER_TOO_LATE if too_late else None
    if outcome_unknown and settings.get("unknown_outcome") == "give_up":
        return OUTCOME_UNKNOWN
    if direction == "outbound" and not window.opened_by(message) and window.closed(window_until, now):
        return WINDOW_CLOSED
    return None
