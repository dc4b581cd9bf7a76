"""What the broker has delivered and nobody has taken in: served in turns by line, each line's in its order."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Container, Iterable, Sequence
from heapq import heapify, heappop, heapreplace
from itertools import islice

from relay.broker.envelopes import Delivery
from relay.broker.updates import how_many


class Waiting:
    """A line that brings a thousand updates waits for its own; another's single one is in the next group.

    What came without the name of its line (from a web older than this) counts as one line of its own.
    """

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[Delivery]] = OrderedDict()
        """Whose turn is next comes first."""
        self._bytes: Counter[int] = Counter()
        """By shard, of the bodies."""

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, delivery: Delivery) -> None:
        self._lines.setdefault(delivery.line_id, deque()).append(delivery)
        self._bytes[delivery.shard] += len(delivery.body)

    @property
    def count(self) -> int:
        """Deliveries of all lines."""
        return sum(map(len, self._lines.values()))

    @property
    def oldest(self) -> float | None:
        """When the first of what waits arrived at web, in Unix seconds, going by the first of each line."""
        return min((at for one in self._lines.values() if (at := one[0].arrived_at) is not None), default=None)

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return self._bytes.total()

    def largest(self) -> tuple[int, float]:
        """The shard that holds most of them, and how many bytes one of its deliveries has on average."""
        [(shard, size)] = self._bytes.most_common(1)
        count = sum(one.shard == shard for deliveries in self._lines.values() for one in deliveries)
        return shard, size / count

    def group(self, most_updates: int, most_bytes: int, resting: Container[str] = ()) -> list[Delivery]:
        """What is taken in next; it stays here until `taken`. One delivery at least, where there is any.

        Lines that are `resting` have no turn.

        Whoever has the fewest updates in it so far adds the next, so lines have equal shares whatever the size of
        their messages. A line whose first delivery does not fit adds nothing more: nothing overtakes it.
        """
        awake = (line for line in self._lines if line not in resting)
        turns = [(0, place, 0, line) for place, line in enumerate(islice(awake, most_updates))]
        heapify(turns)
        group: list[Delivery] = []
        updates = size = 0
        while turns:
            its, place, position, line = turns[0]
            delivery = self._lines[line][position]
            count = how_many(delivery.body)
            if group and (updates + count > most_updates or size + len(delivery.body) > most_bytes):
                heappop(turns)
                continue
            group.append(delivery)
            updates, size = updates + count, size + len(delivery.body)
            if position + 1 < len(self._lines[line]):
                heapreplace(turns, (its + count, place, position + 1, line))
            else:
                heappop(turns)
        return group

    def first(self, line: str) -> Delivery | None:
        """What is the line's next; None where nothing of it waits."""
        deliveries = self._lines.get(line)
        return deliveries[0] if deliveries else None

    def taken(self, group: Sequence[Delivery]) -> None:
        """They are dealt with; those lines' next turn comes after that of all others."""
        for delivery in group:
            self._lines[delivery.line_id].popleft()
            self._bytes[delivery.shard] -= len(delivery.body)
        for line in dict.fromkeys(delivery.line_id for delivery in group):
            if self._lines[line]:
                self._lines.move_to_end(line)
            else:
                del self._lines[line]

    def of(self, lines: Iterable[str]) -> frozenset[str]:
        """Those of the lines of which something waits."""
        return frozenset(line for line in lines if line in self._lines)

    def drop(self, shard: int) -> None:
        """Its channel is closed or lost: the broker will bring what was not acked again, here or elsewhere."""
        self._bytes.pop(shard, None)
        for line, deliveries in list(self._lines.items()):
            kept = deque(one for one in deliveries if one.shard != shard)
            if kept:
                self._lines[line] = kept
            else:
                del self._lines[line]
