"""One direction of one conversation: which message goes next, and when. Pure, with the time passed in."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

from relay.core.conversation.hold import Hold
from relay.core.messages import Message
from relay.core.ordering import SortKey

NEVER = float("inf")
"""In place of a time: somebody will tell."""

LANE_LIMIT = 64
"""Messages a lane keeps in memory; the rest waits in PostgreSQL until the lane has drained."""


@dataclass(slots=True)
class Entry:
    """A message that is not finished. Times are Unix seconds (the rows' clock)."""

    id: str
    key: SortKey
    message: Message = field(repr=False)
    attempts: int = 0
    claimed: bool = False
    """Claimed since it became `received`; a replay makes it a new one, whatever its attempts."""
    unknown: bool = False
    not_before: float = 0.0
    """Backoff, or the end of the wait for an unknown outcome; infinity: somebody will tell."""
    prepared: bool = True
    """False while its media is not ready to be sent."""
    preparing: bool = False
    preparing_at: float = 0.0
    preparations: int = 0
    first_trouble: float | None = None
    """time.monotonic of the first preparation that failed."""
    order: tuple[SortKey, int, SortKey] = field(init=False, repr=False)
    """Its place in the lane: the key, except that nothing is put before a message once claimed."""
    failures: int = 0
    """Attempts that were this message's own fault; in memory only, a restart is lenient."""
    launched_at: float = 0.0
    """time.monotonic of its last launch."""
    first_failure: float | None = None
    """time.monotonic of the first failed attempt, to tell a poisoned message from a broken line."""


@dataclass(slots=True)
class Lane:
    """Entries sorted by key. The one in flight has left `waiting` and blocks the rest."""

    hold: Hold
    waiting: list[Entry] = field(default_factory=list)
    in_flight: Entry | None = None
    hold_until: float = 0.0
    """Nothing goes before this: the previous message still waits for its `sent` (per line, optional)."""
    overflowed: bool = False
    """There is more in PostgreSQL than in memory."""
    _floor: SortKey | None = None

    def knows(self, message_id: str) -> bool:
        in_flight = self.in_flight is not None and self.in_flight.id == message_id
        return in_flight or any(entry.id == message_id for entry in self.waiting)

    def works_on(self, message_id: str) -> bool:
        """Known, and not waiting for a word that may never come."""
        entry = self.get(message_id)
        return entry is not None and (entry is self.in_flight or entry.not_before != NEVER)

    def add(self, entry: Entry) -> bool:
        """Take an entry in its place. False when it is known already, or has to wait in PostgreSQL."""
        if self.knows(entry.id):
            return False
        self._place(entry)
        if self.overflowed and not (self.waiting and entry.order < self.waiting[-1].order):
            return False  # rows between the last in memory and this one are still in PostgreSQL
        insort(self.waiting, entry, key=lambda other: other.order)
        if len(self.waiting) > LANE_LIMIT:
            # The last in order leaves memory, whoever it is: what stays is the true beginning.
            self.overflowed = True
            return self.waiting.pop() is not entry
        return True

    def _place(self, entry: Entry) -> None:
        if entry.claimed:
            self._raise_floor(entry.key)
        # What was launched and comes back unclaimed (a replay) has lost its place: late like all that is older.
        late = self._floor is not None and (entry.key < self._floor or (entry.key == self._floor and not entry.claimed))
        entry.order = (self._floor, 1, entry.key) if late and self._floor else (entry.key, 0, entry.key)

    def _raise_floor(self, key: SortKey) -> None:
        self._floor = key if self._floor is None else max(self._floor, key)

    def get(self, message_id: str) -> Entry | None:
        if self.in_flight is not None and self.in_flight.id == message_id:
            return self.in_flight
        return next((entry for entry in self.waiting if entry.id == message_id), None)

    def remove(self, message_id: str) -> Entry | None:
        """Forget a message, wherever it stands: it is finished, or somebody else's."""
        entry = self.get(message_id)
        if entry is not None and entry is self.in_flight:
            self.in_flight = None
        elif entry is not None:
            self.waiting.remove(entry)
        return entry

    def due(self, now: float) -> float | None:
        """When the head may go (<= now: at once). None: nothing to do until something happens.

        A message is released when it, or one sorted after it, is the window past its arrival, so
        the earliest arrival in the lane releases the head, and a backlog does not wait again.
        """
        if self.in_flight is not None or not self.waiting:
            return None
        head = self.waiting[0]
        if not head.prepared and head.preparing:
            return None
        released = self.hold.release(min(entry.key.arrived_at for entry in self.waiting), now)
        return max(released, head.not_before, self.hold_until)

    def launch(self) -> Entry:
        """The head is on its way; nothing is put before it from now on."""
        self.in_flight = self.waiting.pop(0)
        self._raise_floor(self.in_flight.key)
        return self.in_flight

    def reset(self, entries: list[Entry], more: bool) -> None:
        """What PostgreSQL says is waiting, and whether there is more of it. The one in flight stays so."""
        self.waiting, self.overflowed = [], False
        for entry in entries:
            self.add(entry)
        self.overflowed = more or self.overflowed

    def put_back(self, entry: Entry, not_before: float, *, unknown: bool = False) -> None:
        """An entry has to be tried again, not before then: it keeps its place."""
        entry.not_before, entry.unknown = not_before, unknown
        if entry is self.in_flight:
            self.in_flight = None
            insort(self.waiting, entry, key=lambda other: other.order)

    @property
    def empty(self) -> bool:
        return self.in_flight is None and not self.waiting and not self.overflowed

    @property
    def wants_more(self) -> bool:
        """Time to read the next rows from PostgreSQL."""
        return self.overflowed and not self.waiting and self.in_flight is None
