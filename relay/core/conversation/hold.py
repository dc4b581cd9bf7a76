"""How long a message is held for neighbours that may still be on their way.

The window counts from arrival at web. Between there and its lane a message passes a publish, the broker
and an insert, and a neighbour that arrived at the window's end needs as long for that as others did lately. While
that is long (a busy machine, a backlog after an outage) a message waits until something that arrived a window after
it has been committed, until nothing more is being taken in, or until a window's quiet. Until a queue has brought all
that was in it when its channel was opened, nobody knows what is ahead in it, and only the first of these counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from relay.core.messages import Direction

MEMORY_SECONDS = 2.0
"""At least so long one slow passage keeps the relay careful, and less than twice as long."""

SLOW_SHARE = 0.25
"""A passage is slow when it takes more than this share of the window."""

LONGEST_LAG = 4.0
"""No message is held for longer than so many windows because others were slow: a rare one may have waited for hours."""

LOOK_AGAIN_SHARE = 0.1
"""After this share of the window for each that is coming a lane looks again whether it has been committed."""

LONGEST_LOOK = 8.0
"""And after so many windows at the latest. A flood's thousand conversations that look all the time keep it coming."""


class Longest:
    """The longest of late, in seconds, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._since = 0.0
        self._now = 0.0
        self._before = 0.0

    def noted(self, seconds: float, steady: float) -> None:
        self._turn(steady)
        self._now = max(self._now, seconds)

    def seconds(self, steady: float) -> float:
        self._turn(steady)
        return max(self._now, self._before)

    def _turn(self, steady: float) -> None:
        if steady - self._since >= MEMORY_SECONDS:
            self._before = self._now if steady - self._since < 2 * MEMORY_SECONDS else 0.0
            self._now, self._since = 0.0, steady


class Pace:
    """How messages come from web to the daemon at present. One for all its queues: what slows one slows the others."""

    __slots__ = ("skew", "way")

    def __init__(self) -> None:
        self.way = Longest()
        """How long they take, and by how much a greenlet's turn comes late."""
        self.skew = Longest()
        """By how much one came after another of the same queue that had arrived at web after it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is known of one line's way through one queue, now. `window`, `quiet` and `lag` are in seconds."""

    window: float
    newest_arrival: float = 0.0
    """Whatever arrived at web before that (Unix seconds), and is this line's, has been committed."""
    quiet: float = 0.0
    """For so long the queue has brought nothing, of any line."""
    lag: float = 0.0
    """The longest way to here of late."""
    skew: float = 0.0
    """Of late the queue brought a message so long after another that had arrived later."""
    uncommitted: int = 0
    """Deliveries for this line that are not committed yet."""
    caught_up: bool = True
    """The queue has brought what was in it when its channel was opened, and holds nothing back by now."""
    closed_at: float = inf
    """Unix seconds since when there is no channel, where all that web had taken before was committed."""

    def release(self, arrival: float, now: float) -> float:
        """When what arrived at `arrival` may go, or when to ask again. Unix seconds."""
        over = arrival + self.window
        # A web server's clock may run ahead of ours: never wait longer than the window for it.
        over = min(over, now + self.window) if over > now else over
        longest = self.window * LONGEST_LAG
        if self.newest_arrival >= over + min(self.skew, longest):
            return over
        if not self.caught_up and arrival > self.closed_at:
            return over + self.window * LONGEST_LOOK  # not by the broker, which is away for web too
        if not self.caught_up:
            return max(over, now + self.window * LONGEST_LOOK)
        if self.uncommitted:
            return max(over, now + self.window * min(LONGEST_LOOK, LOOK_AGAIN_SHARE * self.uncommitted))
        over += min(self.lag, longest)
        slow = self.lag > self.window * SLOW_SHARE
        return max(over, now + self.window - self.quiet) if slow else over


Holds = Callable[[str, Direction], Hold]
"""Of a line's id and a direction what is known at this moment."""
