"""What one queue has brought for each line, and what of it is committed: from it follows how long messages are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from relay.broker.envelopes import Delivery
from relay.core.conversation.hold import MEMORY_SECONDS, SLOW_SHARE, Hold
from relay.core.messages import Direction


class Passage:
    """One queue of one shard. Told at once of what the broker delivers, and later of what was committed.

    A queue keeps its order, and so does each line in the intake. So once the queue has delivered something that
    arrived a window after a message, and nothing of that message's line is uncommitted, no neighbour of it is on its
    way: however much there is of other lines.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._generation = 0
        self._newest_delivered = 0.0
        self._newest_committed: dict[str, float] = {}
        """Of lines of which something is uncommitted."""
        self._quiet_since = 0.0
        self._slow_until = 0.0
        self._uncommitted: Counter[str] = Counter()

    def consumed(self, now: float) -> None:
        """From now on: what waits in the queue may belong before rows that are stored already."""
        self._quiet_since = now
        self._slow_until = now + MEMORY_SECONDS

    def delivered(self, delivery: Delivery, now: float) -> None:
        """The broker has delivered it; it is not committed yet."""
        if delivery.generation != self._generation:
            self.lost()
            self._generation = delivery.generation
        self._uncommitted[delivery.line_id] += 1
        self._quiet_since = now
        arrived_at = delivery.arrived_at
        if arrived_at is not None:
            self._newest_delivered = max(self._newest_delivered, min(arrived_at, now))
        if arrived_at is None or now - arrived_at > self._window * SLOW_SHARE:
            self._slow_until = now + MEMORY_SECONDS

    def committed(self, deliveries: Sequence[Delivery], now: float) -> None:
        """They are committed, or buried. What came over a channel that is gone does not count."""
        for one in deliveries:
            if one.generation != self._generation:
                continue
            self._uncommitted[one.line_id] -= 1
            if self._uncommitted[one.line_id] > 0:
                arrived_at = min(one.arrived_at or 0.0, now)
                before = self._newest_committed.get(one.line_id, 0.0)
                self._newest_committed[one.line_id] = max(before, arrived_at)
            else:
                del self._uncommitted[one.line_id]
                self._newest_committed.pop(one.line_id, None)

    def lost(self) -> None:
        """The channel is gone: what was delivered and not committed will be delivered anew."""
        self._uncommitted.clear()
        self._newest_committed.clear()

    def hold(self, line_id: str) -> Hold:
        """What is delivered without a line's name may be any line's."""
        uncommitted = self._uncommitted[line_id] + (self._uncommitted[""] if line_id else 0)
        newest = self._newest_committed.get(line_id, 0.0) if uncommitted else self._newest_delivered
        return Hold(self._window, newest, self._quiet_since, self._slow_until, uncommitted)


class LineHolds(Mapping[Direction, Hold]):
    """The holds of one conversation's line as they are at this moment. `line_id` is "" until it is known."""

    __slots__ = ("_passages", "line_id")

    def __init__(self, passages: Mapping[Direction, Passage], line_id: str) -> None:
        self._passages = passages
        self.line_id = line_id

    def __getitem__(self, direction: Direction) -> Hold:
        return self._passages[direction].hold(self.line_id)

    def __iter__(self) -> Iterator[Direction]:
        return iter(self._passages)

    def __len__(self) -> int:
        return len(self._passages)
