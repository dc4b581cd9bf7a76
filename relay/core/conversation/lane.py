"""One direction of one conversation: which message goes next, and when. Pure, with the time passed in."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from relay.core.conversation.clock import NEVER, passed
from relay.core.conversation.dispatch import DispatchFacts
from relay.core.conversation.hold import Hold
from relay.core.mailbox import Row, Verdict
from relay.core.messages import Message
from relay.core.ordering import SortKey

LANE_LIMIT = 64
"""Messages a lane keeps in memory; the rest waits in PostgreSQL until the lane has drained."""

PREPARE_AHEAD = 3
"""Files of so many messages are made ready, so that none waits for its file in its turn."""

FILE_LOST_SECONDS = 600.0
"""A file that nobody has spoken of for so long is prepared again: its actor is gone."""


Order = tuple[SortKey, int, SortKey]
"""A place in the lane: the key; of what is late the key that it comes after, how often that was so, and its own."""


@dataclass(slots=True)
class Pending:
    """A message that is not finished, as its lane knows it. Nobody else holds it. Times are Unix seconds."""

    id: str
    key: SortKey
    message: Message = field(repr=False)
    attempts: int = 0
    claimed: bool = False
    """Claimed since it became `received`; a replay makes it a new one, whatever its attempts."""
    unknown: bool = False
    doubted: bool = False
    """One of its calls may have got through: its answer was lost, or a former owner's memory of it is."""
    not_before: float = 0.0
    """Backoff, or the end of the wait for an unknown outcome; infinity: somebody will tell."""
    file_ready: bool = True
    busy_since: float | None = None
    """Since then its file is being prepared, or its end without a call is being written."""
    ends: bool = False
    """It is finished without a call, once the journal has written that."""
    preparations: int = 0
    first_trouble: float | None = None
    """When its file could not be had for the first time."""
    failures: int = 0
    """Attempts that were this message's own fault; in memory only, a restart is lenient."""
    first_failure: float | None = None
    """time.monotonic of the first of them, as the sender told it."""
    took: bool = False
    """The thread was taken from somebody else for it."""
    take: bool = False
    """It has to be, before the next call: the provider said so."""
    dispatched_at: float = 0.0
    seen_at: float = NEVER
    """When its lane first looked at it."""
    order: Order = field(init=False, repr=False)

    @property
    def may_go(self) -> bool:
        return self.file_ready and self.busy_since is None

    def arrived_by(self, now: float) -> float:
        """Its arrival by this clock: what has been seen has arrived, however far web's own is ahead."""
        self.seen_at = min(self.seen_at, now)
        return min(self.key.arrived_at, self.seen_at)


def pending(row: Row) -> Pending:
    """What the lane holds of a row. A file counts as ready once it is kept, for WhatsApp once it is uploaded too."""
    media = row.message.media
    ready = media is None or media.object_key is not None
    if media is not None and row.direction == "outbound":
        ready = media.upload_id is not None or media.kind == "link"
    unknown = row.state != "received"
    not_before = row.unknown_until or NEVER if unknown else row.next_attempt_at or 0.0
    doubted = unknown or row.attempts > 0
    return Pending(
        row.id, row.key, row.message, row.attempts, row.claimed, unknown, doubted, not_before, ready,
        take=row.message.take,
    )  # fmt: skip


@dataclass(slots=True)
class Lane:
    """Messages sorted by key. The one in flight has left `waiting` and blocks the rest."""

    waiting: list[Pending] = field(default_factory=list)
    in_flight: Pending | None = None
    hold_until: float = 0.0
    """Nothing goes before this: the previous message still waits for its `sent` (per line, optional)."""
    overflowed: bool = False
    """There is more in PostgreSQL than in memory."""
    _floor: Order | None = None
    """The place of the last that was dispatched or claimed: nothing comes before it."""

    # What is in it

    def get(self, message_id: str) -> Pending | None:
        if self.in_flight is not None and self.in_flight.id == message_id:
            return self.in_flight
        return next((one for one in self.waiting if one.id == message_id), None)

    def works_on(self, message_id: str) -> bool:
        """Known, and not waiting for a word that may never come. What was left in PostgreSQL is read in its turn."""
        one = self.get(message_id)
        if one is None:
            return self.overflowed
        return one is self.in_flight or one.not_before != NEVER

    @property
    def empty(self) -> bool:
        return self.in_flight is None and not self.waiting and not self.overflowed

    @property
    def wants_more(self) -> bool:
        """Time to read the next rows from PostgreSQL."""
        return self.overflowed and not self.waiting and self.in_flight is None

    # What comes

    def add(self, one: Pending) -> bool:
        """Take a message in its place. False when it is known already, or has to wait in PostgreSQL."""
        if self.get(one.id) is not None:
            return False
        self._place(one)
        if self.overflowed and not (self.waiting and one.order < self.waiting[-1].order):
            return False  # rows between the last in memory and this one are still in PostgreSQL
        return self._insert(one)

    def _insert(self, one: Pending) -> bool:
        insort(self.waiting, one, key=lambda other: other.order)
        if len(self.waiting) > LANE_LIMIT:
            # The last in order leaves memory, whoever it is: what stays is the true beginning.
            self.overflowed = True
            return self.waiting.pop() is not one
        return True

    def load(self, rows: Sequence[Row]) -> list[str]:
        """Hold what PostgreSQL says is unfinished, one row more than the limit if there is more.

        The one in flight stays so. Answers with the ids of those that were not known before: new, or replayed.
        """
        known = {one.id: one for one in self.waiting}
        kept, more = rows[:LANE_LIMIT], len(rows) > LANE_LIMIT
        new = [row.id for row in kept if self.get(row.id) is None]
        self.waiting, self.overflowed = [], False
        for row in kept:
            self.add(_brought_up_to_date(known.get(row.id), row))
        self.overflowed = more or self.overflowed
        return new

    def _place(self, one: Pending) -> None:
        natural, floor = (one.key, 0, one.key), self._floor
        if floor is None or natural > floor or (natural == floor and one.claimed):
            one.order = natural
        else:
            # What was dispatched and comes back unclaimed (a replay) has lost its place: late like all that is older.
            after, late, key = floor
            one.order = (after, late if late and one.key > key else late + 1, one.key)
        if one.claimed:
            self._floor = one.order

    # What goes

    @property
    def blocked(self) -> bool:
        """There is nothing to send, or nothing before something else has happened."""
        return self.in_flight is not None or not self.waiting or self.waiting[0].busy_since is not None

    def due(self, now: float, hold: Hold) -> float | None:
        """When the first may go (<= now: at once). None: nothing to do until something happens.

        A message is released when it, or one sorted after it, is the window past its arrival, so
        the earliest arrival in the lane releases the first, and a backlog does not wait again.
        """
        if self.blocked:
            return None
        first = self.waiting[0]
        # Nothing is put before what was claimed: it waits for no neighbour.
        released = 0.0 if first.claimed else hold.release(min(one.arrived_by(now) for one in self.waiting), now)
        return max(released, first.not_before, self.hold_until)

    def ready(self, now: float, hold: Hold) -> Pending | None:
        """The first, if its time has come and its file is there."""
        due = self.due(now, hold)
        return self.waiting[0] if due is not None and due <= now and self.waiting[0].may_go else None

    def launch(self, now: float) -> Pending:
        """The first is on its way; nothing is put before it from now on."""
        self.in_flight = self.waiting.pop(0)
        self.in_flight.dispatched_at = now
        self._floor = max(self._floor, self.in_flight.order) if self._floor else self.in_flight.order
        return self.in_flight

    def without_file(self, now: float) -> Iterator[Pending]:
        """Those of the first few whose file is neither there nor being prepared, or seems forgotten."""
        for one in self.waiting[:PREPARE_AHEAD]:
            lost = one.busy_since is not None and passed(one.busy_since, FILE_LOST_SECONDS, now)
            if not one.file_ready and not one.ends and (one.busy_since is None or lost):
                yield one

    def stuck(self, seconds: float, now: float) -> Pending | None:
        """One whose call, or whose end, nobody has spoken of for so long."""
        one = self.in_flight
        if one is not None and passed(one.dispatched_at, seconds, now):
            return one
        ends = (other for other in self.waiting if other.ends and other.busy_since is not None)
        return next((other for other in ends if passed(other.busy_since or 0.0, seconds, now)), None)

    # What became of it

    def learn(self, message_id: str, facts: DispatchFacts) -> None:
        """What the attempt just made changed for the next one."""
        one = self.get(message_id)
        if one is not None:
            one.claimed, one.failures, one.first_failure = True, facts.failures, facts.first_failure
            one.message, one.took, one.take = facts.message or one.message, facts.took, facts.take

    def remove(self, one: Pending) -> None:
        """Forget a message, wherever it stands: it is finished, or somebody else's."""
        if one is self.in_flight:
            self.in_flight = None
        else:
            self.waiting.remove(one)

    def try_again(self, one: Pending, verdict: Verdict, now: float, *, unknown: bool) -> None:
        one.attempts = verdict.attempt
        at = verdict.unknown_until if unknown else verdict.next_attempt_at
        self._put_back(one, at or now, unknown=unknown)

    def stand_still(self, message_id: str) -> None:
        """What became of the message only its row can tell: the lane waits until that has been read."""
        one = self.get(message_id)
        if one is not None and (one is self.in_flight or one.ends):
            self._put_back(one, NEVER)

    def _put_back(self, one: Pending, not_before: float, *, unknown: bool = False) -> None:
        """It keeps its place."""
        one.not_before, one.unknown, one.doubted = not_before, unknown, one.doubted or unknown
        if one.ends:
            one.ends, one.busy_since = False, None
        if one is self.in_flight:
            self.in_flight = None
            self._insert(one)


def _brought_up_to_date(one: Pending | None, row: Row) -> Pending:
    """The row decides; in memory are only what its attempts and its file have been through."""
    if one is None or one.busy_since is not None:
        return one or pending(row)
    fresh = pending(row)
    fresh.failures, fresh.first_failure, fresh.took = one.failures, one.first_failure, one.took
    fresh.take = fresh.take or one.take
    fresh.preparations, fresh.first_trouble = one.preparations, one.first_trouble
    if not fresh.file_ready and one.not_before != NEVER:
        fresh.not_before = max(fresh.not_before, one.not_before)
    return fresh
