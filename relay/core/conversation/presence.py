"""What the contact's phone is shown beside messages: that the agents' side has read, that somebody types.

Nobody waits for it and no row holds it: the newest word replaces the older ones, and what comes too
late is not shown. A read mark that got lost is made good by the next one, which marks all before it.
"""

from __future__ import annotations

from relay.core.conversation.clock import passed
from relay.core.messages import Message, Signal
from relay.core.retry import backoff

TYPING_FRESH = 5.0
"""Seconds. Genesys tells again every few seconds while the agent goes on typing."""
TYPING_AGAIN = 8.0
"""Seconds. WhatsApp shows it for up to 25, or until the message comes."""
READ_TRIES = 4
LOST_SECONDS = 60.0
"""Without word of a call for so long its sender is gone."""
LONG_AGO = float("-inf")


def to_mark(message: Message) -> str | None:
    """By which id the message is marked read, or None: not written by the customer, not whole yet, or nameless.

    A long one goes to Genesys in parts, and has been read with the last of them.
    """
    return message.own_id if message.part == message.parts and not message.notice else None


class Presence:
    """At most one call is under way. Times are Unix seconds."""

    __slots__ = ("_in_flight", "_launched_at", "_not_before", "_read", "_shown_at", "_tries", "_typing_at")

    def __init__(self) -> None:
        self._read: str | None = None
        self._tries = 0
        self._typing_at = self._shown_at = LONG_AGO
        self._in_flight: Signal | None = None
        self._launched_at = 0.0
        self._not_before = 0.0

    def __bool__(self) -> bool:
        return self._read is not None

    def drop(self) -> None:
        """Somebody else answers the contact: nothing of the agents' side is shown now."""
        self._read, self._typing_at, self._in_flight = None, LONG_AGO, None

    def read(self, provider_id: str) -> None:
        """The agents' side has the contact's message."""
        self._read, self._tries, self._not_before = provider_id, 0, 0.0

    def typing(self, at: float) -> None:
        self._typing_at = at

    def due(self, now: float) -> float | None:
        """When the next one may go, or None."""
        if self._in_flight is not None:
            return now if passed(self._launched_at, LOST_SECONDS, now) else self._launched_at + LOST_SECONDS
        if self._types(now):
            return now
        return self._not_before if self._read is not None else None

    def _types(self, now: float) -> bool:
        return not passed(self._typing_at, TYPING_FRESH, now) and passed(self._shown_at, TYPING_AGAIN, now)

    def launch(self, now: float, newest: str | None, *, show_typing: bool) -> Signal | None:
        """The next one; `newest` is the contact's newest message, which both kinds have to name."""
        due = self.due(now)
        if due is None or due > now:
            return None
        types = self._types(now) and newest is not None and show_typing
        # One without word is given up: it must not be due for ever when there is nothing to follow it.
        self._typing_at, self._in_flight = LONG_AGO, None
        provider_id = newest if types else self._read
        if provider_id is None:
            return None
        self._in_flight, self._launched_at = Signal("typing" if types else "read", provider_id), now
        if types:
            self._shown_at = now
        return self._in_flight

    def ended(self, *, again: bool, now: float) -> None:
        """The call is over; `again`: it did no harm to try once more."""
        signal, self._in_flight = self._in_flight, None
        if signal is None:
            return
        if again and signal.kind == "typing":
            return  # typing is not repeated; a read mark that it might have saved goes out by itself
        self._tries += 1
        if again and self._tries < READ_TRIES:
            self._not_before = now + backoff(self._tries)
        elif self._read == signal.provider_id:
            self._read = None
