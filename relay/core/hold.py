"""How long a message is held for neighbours that may still be on their way.

The window counts from arrival at web. Between there and its lane a message passes a publish, the broker
and an insert; while that takes long (a busy machine, a backlog after an outage), a neighbour that arrived
within the window may still be in the queue. Then a message waits until something that arrived a window
after it has been taken in, or until nothing has come for a window's time.
"""

from __future__ import annotations

MEMORY_SECONDS = 2.0
"""So long one slow passage keeps the relay careful."""

SLOW_SHARE = 0.25
"""A passage is slow when it takes more than this share of the window."""


class Hold:
    """One direction of one shard's intake. All times are Unix seconds, as arrivals are."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._newest_arrival = 0.0
        self._taken_at = 0.0
        self._slow_until = 0.0

    def took_in(self, earliest_arrival: float, newest_arrival: float, now: float) -> None:
        """A batch has been committed whose updates arrived at web between these two."""
        self._newest_arrival = max(self._newest_arrival, min(newest_arrival, now))
        self._taken_at = now
        if now - earliest_arrival > self._window * SLOW_SHARE:
            self._slow_until = now + MEMORY_SECONDS

    def release(self, arrival: float, now: float) -> float:
        """When what arrived at `arrival` may go, as far as is known now."""
        over = arrival + self._window
        # A web server's clock may run ahead of ours: never wait longer than the window for it.
        over = min(over, now + self._window) if over > now else over
        if now > self._slow_until or self._newest_arrival >= over:
            return over
        return max(over, self._taken_at + self._window)
