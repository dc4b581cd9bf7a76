"""How long a message is held for neighbours that may still be on their way.

The window counts from arrival at web. Between there and its lane a message passes a publish, the broker
and an insert. While that takes long (a busy machine, a backlog after an outage), a neighbour that arrived
within the window may still be on that way. A message then waits until something that arrived a window
after it has been committed, until nothing more is being taken in, or until a window's quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relay.core.messages import Direction

MEMORY_SECONDS = 2.0
"""So long one slow passage keeps the relay careful."""

SLOW_SHARE = 0.25
"""A passage is slow when it takes more than this share of the window."""

LOOK_AGAIN_SHARE = 0.1
"""After this share of the window for each that is coming a lane looks again whether it has been committed."""

LONGEST_LOOK = 8.0
"""And after so many windows at the latest. A flood's thousand conversations that look all the time keep it coming."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is known of one line's way through one queue, now. All times are Unix seconds; `window` is in seconds."""

    window: float
    newest_arrival: float = 0.0
    """Whatever arrived at web before that, and is this line's, has been committed."""
    quiet_since: float = 0.0
    """Since then the queue has brought nothing, of any line."""
    slow_until: float = 0.0
    """So long its passage counts as slow."""
    uncommitted: int = 0
    """Deliveries for this line that are not committed yet."""

    def release(self, arrival: float, now: float) -> float:
        """When what arrived at `arrival` may go, or when to ask again."""
        over = arrival + self.window
        # A web server's clock may run ahead of ours: never wait longer than the window for it.
        over = min(over, now + self.window) if over > now else over
        if self.newest_arrival >= over:
            return over
        if self.uncommitted:
            return max(over, now + self.window * min(LONGEST_LOOK, LOOK_AGAIN_SHARE * self.uncommitted))
        return max(over, self.quiet_since + self.window) if now <= self.slow_until else over


Holds = Mapping[Direction, Hold]
