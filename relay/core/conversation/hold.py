"""How long a message is held for neighbours that may still be on their way.

The window counts from arrival at web. Between there and its lane a message passes a publish, the broker
and an insert. While that takes long (a busy machine, a backlog after an outage), a neighbour that arrived
within the window may still be on that way. A message then waits until something that arrived a window
after it has been committed, until nothing more is being taken in, or until a window's quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from relay.core.messages import Direction

MEMORY_SECONDS = 2.0
"""So long one slow passage keeps the relay careful."""

SLOW_SHARE = 0.25
"""A passage is slow when it takes more than this share of the window."""

LOOK_AGAIN_SHARE = 0.1
"""After this share of the window a lane looks again whether what was coming has been committed."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is known of one direction of one shard's intake. A value: each change makes a new one.

    All times are Unix seconds, as arrivals are; `window` is in seconds.
    """

    window: float
    newest_arrival: float = 0.0
    committed_at: float = 0.0
    slow_until: float = 0.0
    uncommitted: int = 0
    """Deliveries of the broker that are not committed yet."""

    def consuming(self, now: float) -> Hold:
        """A queue is consumed from now on: what waits in it may belong before rows that are stored already."""
        return replace(self, committed_at=now, slow_until=now + MEMORY_SECONDS)

    def delivered(self) -> Hold:
        """The broker has delivered one that is not committed yet."""
        return Hold(self.window, self.newest_arrival, self.committed_at, self.slow_until, self.uncommitted + 1)

    def committed(self, number: int) -> Hold:
        """So many of those are committed, or buried."""
        return replace(self, uncommitted=max(0, self.uncommitted - number))

    def channel_lost(self) -> Hold:
        """What was delivered and not committed will be delivered anew."""
        return replace(self, uncommitted=0)

    def took_in(self, earliest_arrival: float, newest_arrival: float, now: float) -> Hold:
        """A batch has been committed whose updates arrived at web between these two."""
        newest = max(self.newest_arrival, min(newest_arrival, now))
        slow = now - earliest_arrival > self.window * SLOW_SHARE
        slow_until = now + MEMORY_SECONDS if slow else self.slow_until
        return Hold(self.window, newest, now, slow_until, self.uncommitted)

    def release(self, arrival: float, now: float) -> float:
        """When what arrived at `arrival` may go, or when to ask again."""
        over = arrival + self.window
        # A web server's clock may run ahead of ours: never wait longer than the window for it.
        over = min(over, now + self.window) if over > now else over
        if self.newest_arrival >= over:
            return over
        if self.uncommitted:
            return max(over, now + self.window * LOOK_AGAIN_SHARE)
        return max(over, self.committed_at + self.window) if now <= self.slow_until else over


Holds = Mapping[Direction, Hold]
