"""What one queue has brought for each line, and what of it is committed: from it follows how long messages are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import inf

from relay.broker.envelopes import Delivery
from relay.core.conversation.hold import Hold, Pace


class Passage:
    """One queue of one shard. Told at once of what the broker delivers, and later of what was committed.

    A queue keeps its order, and so does each line in the intake. So once the queue has delivered something that
    arrived a window after a message, and nothing of that message's line is uncommitted, no neighbour of it is on its
    way: however much there is of other lines.

    What a lost channel had brought and nobody committed comes again, and so does what waited behind it: nobody knows
    what is ahead in the queue until a mark, published when the next channel was open, has come back through it.
    `now` is Unix seconds, `steady` seconds by a clock that nobody sets.
    """

    def __init__(self, window: float, pace: Pace) -> None:
        self._window = window
        self._pace = pace
        self._generation = 0
        self._most = 0
        self._caught_up = False
        self._quiet_since = 0.0
        self._newest_delivered = 0.0
        """By the present channel, and once it has caught up by any."""
        self._newest_ever = 0.0
        self._newest_committed: dict[str, float] = {}
        """Of lines of which something is uncommitted."""
        self._uncommitted: Counter[str] = Counter()
        self._ahead: Counter[str] = Counter()
        """What of that came before the mark."""
        self._safe = 0.0
        """Until the queue has caught up: what arrived before that has been committed, unless its line stands below."""
        self._safe_of: dict[str, float] = {}
        self._closed_at = inf
        """Since then there is no channel, and at that time nothing was on its way but what is named above."""

    # What comes

    def opened(self, most: int) -> None:
        """A channel is open that brings so many before the first of them is acked."""
        self._most, self._closed_at = most, inf

    def delivered(self, delivery: Delivery, now: float, steady: float) -> None:
        """The broker has delivered it; it is not committed yet."""
        self._over(delivery, now, steady)
        self._uncommitted[delivery.line_id] += 1
        self._quiet_since = steady
        arrived_at = now - self._window if delivery.arrived_at is None else min(delivery.arrived_at, now)
        if arrived_at < self._newest_delivered:
            self._pace.skew.noted(self._newest_delivered - arrived_at, steady)
        if not delivery.redelivered:
            self._pace.way.noted(now - arrived_at, steady)
        if delivery.arrived_at is not None:
            self._newest_delivered = max(self._newest_delivered, arrived_at)

    def marked(self, delivery: Delivery, now: float, steady: float) -> None:
        """The mark has come back over the channel for which it was published: whatever was ahead of it came before."""
        self._over(delivery, now, steady)
        self.caught_up(steady)

    def caught_up(self, steady: float) -> None:
        """All that was in the queue when its channel was opened has been delivered."""
        if self._caught_up:
            return
        self._caught_up, self._quiet_since = True, steady
        self._ahead = self._uncommitted.copy()
        self._safe_of.clear()
        self._newest_delivered = self._newest_ever = max(self._newest_ever, self._newest_delivered)

    def committed(self, deliveries: Sequence[Delivery], now: float, steady: float) -> None:
        """They are committed, or buried. What came over a channel that is gone does not count."""
        if self._full:
            self._pace.way.noted(self._window, steady)  # what waited in the queue for that is about to come
        for one in deliveries:
            if one.generation != self._generation:
                continue
            if one.line_id in self._ahead:
                self._take_one(self._ahead, one.line_id)
            self._take_one(self._uncommitted, one.line_id)
            if one.line_id in self._uncommitted:
                arrived_at = min(one.arrived_at or 0.0, now)
                before = self._newest_committed.get(one.line_id, 0.0)
                self._newest_committed[one.line_id] = max(before, arrived_at)
            else:
                self._newest_committed.pop(one.line_id, None)

    def lost(self, now: float, steady: float) -> None:
        """The channel is gone: what it delivered and nobody committed will be delivered anew, by the next one.

        What might have gone by now still may. What would have been held is held until the queue has caught up.
        """
        safe = max(self._safe, self._newest_delivered)
        lines = self._uncommitted.keys() | self._safe_of.keys()
        self._safe_of = {line: max(self._safe_of.get(line, 0.0), self._newest(line)) for line in lines}
        if self._caught_up and not self._full:  # nothing else was on its way
            self._closed_at = now
            safe = max(safe, now - self._pace.way.seconds(steady))
        self._safe = safe
        self._newest_ever = max(self._newest_ever, self._newest_delivered)
        self._caught_up, self._newest_delivered = False, 0.0
        self._uncommitted.clear()
        self._newest_committed.clear()
        self._ahead.clear()

    def _over(self, delivery: Delivery, now: float, steady: float) -> None:
        if delivery.generation != self._generation:
            if self._generation:
                self.lost(now, steady)
            self._generation = delivery.generation

    @staticmethod
    def _take_one(counter: Counter[str], line_id: str) -> None:
        counter[line_id] -= 1
        if counter[line_id] <= 0:
            del counter[line_id]

    # What follows from it

    @property
    def _full(self) -> bool:
        return self._uncommitted.total() >= self._most

    @property
    def has_caught_up(self) -> bool:
        """All that was in the queue when its channel was opened is here, committed or not."""
        return self._caught_up

    @property
    def behind(self) -> bool:
        """Something that was in the queue when its channel was opened is not committed yet, or not even here."""
        return not self._caught_up or bool(self._ahead)

    def hold(self, line_id: str, steady: float) -> Hold:
        """What is delivered without a line's name may be any line's."""
        uncommitted = self._uncommitted[line_id] + (self._uncommitted[""] if line_id else 0)
        lag, skew = self._pace.way.seconds(steady), self._pace.skew.seconds(steady)
        quiet = steady - self._quiet_since
        caught_up = self._caught_up and not self._full
        closed_at = inf if self._safe_of.keys() & {line_id, ""} else self._closed_at
        return Hold(self._window, self._newest(line_id), quiet, lag, skew, uncommitted, caught_up, closed_at)

    def _newest(self, line_id: str) -> float:
        """Whatever of the line arrived before that has been committed."""
        uncommitted = self._uncommitted[line_id] or (line_id and self._uncommitted[""])
        newest = self._newest_committed.get(line_id, 0.0) if uncommitted else self._newest_delivered
        if self._caught_up:
            return newest
        safe = min(self._safe_of.get(one, self._safe) for one in (line_id, ""))
        return max(newest, safe)
