"""A conversation's two lanes: what waits in them, what may go next, and what is known of the calls under way.

No actor. Its conversation tells it what came and how calls ended; PostgreSQL has the last word on both.
"""

from __future__ import annotations

import time
from collections.abc import ItemsView, Mapping, Sequence

from relay.conversation.entries import entry_of
from relay.core.conversation.dispatch import DispatchFacts
from relay.core.conversation.hold import Hold
from relay.core.conversation.lane import LANE_LIMIT, NEVER, Entry, Lane
from relay.core.limits import PairBucket
from relay.core.mailbox import Row, Standing, Verdict
from relay.core.messages import Direction
from relay.core.status import UNFINISHED

LONGEST_HANDSET_WAIT = 30.0


class Lanes:
    def __init__(self, holds: Mapping[Direction, Hold]) -> None:
        self._lanes = {direction: Lane(hold) for direction, hold in holds.items()}
        self._pair = PairBucket()
        self._awaited: str | None = None
        """The message whose arrival on the phone the outbound lane waits for."""

    def __getitem__(self, direction: Direction) -> Lane:
        return self._lanes[direction]

    def items(self) -> ItemsView[Direction, Lane]:
        return self._lanes.items()

    @property
    def empty(self) -> bool:
        return all(lane.empty for lane in self._lanes.values())

    # What came

    def knows(self, message_id: str, direction: Direction) -> bool:
        """What a full lane leaves in PostgreSQL counts as known: it is read when its turn comes."""
        return self._lanes[direction].overflowed or self._lanes[direction].works_on(message_id)

    def load(self, found: Mapping[Direction, Sequence[Row]]) -> list[str]:
        """Hold what PostgreSQL says is unfinished, one row more than the limit if there is more.

        Answers with the ids of those that were not known before: new ones, or replayed.
        """
        new: list[str] = []
        for direction, rows in found.items():
            lane = self._lanes[direction]
            new += [row.id for row in rows[:LANE_LIMIT] if not lane.knows(row.id)]
            lane.reset([_known(lane, row) for row in rows[:LANE_LIMIT]], len(rows) > LANE_LIMIT)
        return new

    def add(self, rows: Sequence[Row]) -> None:
        """Rows that have just been committed."""
        for row in rows:
            lane = self._lanes[row.direction]
            if not lane.knows(row.id):
                lane.add(entry_of(row))

    # What goes next

    def due(self, direction: Direction) -> float | None:
        """When the lane's first may go (Unix seconds), Meta's pair limit included. None: nothing to do for now."""
        now = time.time()
        due = self._lanes[direction].due(now)
        if due is None or direction == "inbound":
            return due
        return max(due, now + self._pair.wait(time.monotonic()))

    def ready(self, direction: Direction) -> Entry | None:
        """The lane's first, if its time has come and its file is there. The pair limit was seen to before it asked."""
        lane, now = self._lanes[direction], time.time()
        due = lane.due(now)
        if due is None or due > now or not lane.waiting[0].prepared:
            return None
        return lane.waiting[0]

    def launch(self, direction: Direction) -> Entry:
        """The first is on its way; the lane waits for word of it."""
        if direction == "outbound":
            self._pair.take(time.monotonic())
        entry = self._lanes[direction].launch()
        entry.launched_at = time.monotonic()
        return entry

    def await_handset(self, message_id: str, seconds: float) -> None:
        """The line wants the next message to wait for this one's `sent`, though not for ever."""
        self._awaited = message_id
        self._lanes["outbound"].hold_until = time.time() + min(LONGEST_HANDSET_WAIT, seconds)

    def on_handset(self, message_id: str) -> None:
        """Meta has told of the message."""
        if message_id == self._awaited:
            self._awaited = None
            self._lanes["outbound"].hold_until = 0.0

    # What became of it

    def learn(self, message_id: str, facts: DispatchFacts) -> None:
        """What the attempt just made changed for the next one."""
        for lane in self._lanes.values():
            entry = lane.get(message_id)
            if entry is not None:
                entry.claimed, entry.failures, entry.first_failure = True, facts.failures, facts.first_failure
                entry.message = facts.message or entry.message

    def settle(self, standing: Standing, verdict: Verdict | None) -> tuple[Direction, Entry] | None:
        """Go by the row's own word. Answers with the message if it is finished, and with its direction.

        `verdict`: what its call ended with, if it has to be tried again.
        """
        for direction, lane in self._lanes.items():
            entry = lane.get(standing.message_id)
            if entry is not None and standing.state not in UNFINISHED:
                lane.remove(entry.id)
                return direction, entry
            if entry is not None and verdict is not None:
                _try_again(lane, entry, verdict, unknown=standing.state == "unknown")
        return None

    def stand_still(self, message_id: str) -> None:
        """What became of its call only its row can tell: the lane waits until that has been read."""
        for lane in self._lanes.values():
            if lane.in_flight is not None and lane.in_flight.id == message_id:
                lane.put_back(lane.in_flight, NEVER)

    def stuck(self, seconds: float) -> list[str]:
        """Those of whose call there has been no word for so long."""
        under_way = [lane.in_flight for lane in self._lanes.values() if lane.in_flight is not None]
        return [entry.id for entry in under_way if time.monotonic() - entry.launched_at > seconds]


def _known(lane: Lane, row: Row) -> Entry:
    """The entry that is there already, brought up to date with its row; else a new one."""
    entry = lane.get(row.id)
    if entry is None:
        return entry_of(row)
    if entry is not lane.in_flight and entry.prepared:
        fresh = entry_of(row)
        entry.attempts, entry.unknown, entry.not_before = fresh.attempts, fresh.unknown, fresh.not_before
    return entry


def _try_again(lane: Lane, entry: Entry, verdict: Verdict, *, unknown: bool) -> None:
    entry.attempts = verdict.attempt
    at = verdict.unknown_until if unknown else verdict.next_attempt_at
    lane.put_back(entry, at or time.time(), unknown=unknown)
