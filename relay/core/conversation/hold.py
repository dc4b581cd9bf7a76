"""How long a message is held for neighbours that may still be on their way.

The window counts from arrival at web. Between there and its lane a message passes a publish, the broker
and an insert. While that takes long (a busy machine, a backlog after an outage), a neighbour that arrived
within the window may still be on that way. A message then waits until something that arrived a window
after it has been committed, until nothing more is being taken in, or until a window's quiet.
"""

from __future__ import annotations

MEMORY_SECONDS = 2.0
"""So long one slow passage keeps the relay careful."""

SLOW_SHARE = 0.25
"""A passage is slow when it takes more than this share of the window."""

LOOK_AGAIN_SHARE = 0.1
"""After this share of the window a lane looks again whether what was coming has been committed."""


class Hold:
    """One direction of one shard's intake. All times are Unix seconds, as arrivals are."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._newest_arrival = 0.0
        self._taken_at = 0.0
        self._slow_until = 0.0
        self._coming = 0

    def begins(self, now: float) -> None:
        """A queue is consumed from now on: what waits in it may belong before rows that are stored already."""
        self._taken_at = now
        self._slow_until = now + MEMORY_SECONDS

    def comes(self) -> None:
        """The broker has delivered one that is not committed yet."""
        self._coming += 1

    def came(self, number: int) -> None:
        """So many of those are committed, or buried."""
        self._coming = max(0, self._coming - number)

    def forget(self) -> None:
        """What was coming is not: its channel is gone, and it will be delivered anew."""
        self._coming = 0

    def took_in(self, earliest_arrival: float, newest_arrival: float, now: float) -> None:
        """A batch has been committed whose updates arrived at web between these two."""
        self._newest_arrival = max(self._newest_arrival, min(newest_arrival, now))
        self._taken_at = now
        if now - earliest_arrival > self._window * SLOW_SHARE:
            self._slow_until = now + MEMORY_SECONDS

    def release(self, arrival: float, now: float) -> float:
        """When what arrived at `arrival` may go, or when to ask again."""
        over = arrival + self._window
        # A web server's clock may run ahead of ours: never wait longer than the window for it.
        over = min(over, now + self._window) if over > now else over
        if self._newest_arrival >= over:
            return over
        if self._coming:
            return max(over, now + self._window * LOOK_AGAIN_SHARE)
        return max(over, self._taken_at + self._window) if now <= self._slow_until else over
