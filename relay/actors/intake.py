"""IntakeActor: takes in what the queues of all of this daemon's shards bring, in turns by line, a group at a time.

The broker's delivery is acked as soon as its row is committed; from there on the row is the message. While a group is
committed the next one gathers. It shares the event loop with the senders: lines that have more than fits into a group
wait for the loop to come to rest after it, though not much longer than the group took, so that sending goes on whatever
arrives. Who has no backlog is taken in meanwhile.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gevent
import structlog

from db.mailbox import sweep
from relay import even_clock, metrics
from relay.actors import traced
from relay.broker.envelopes import Delivery
from relay.broker.publisher import Outgoing
from relay.core.conversation.events import AgentTyped, Arrived, RowChanged
from relay.core.errors import StoreError
from relay.core.queues import DEAD_LETTERS
from relay.core.retry import store_backoff
from relay.intake.intake import Intake, Taken
from relay.intake.suspects import Suspects, may_be_its_own
from relay.intake.waiting import Waiting
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

MOST_UPDATES = 100
MOST_BYTES = 4 * 1024 * 1024
"""Of one transaction, unless a single message has more: what is read and written at once has to end in time.

More updates make none of them cheaper, and another line's message waits for the end of the group.
"""
PREFETCH = 1000
"""Deliveries a shard may hold unacked. Turns by line are among what has been delivered."""
MOST_HELD_BYTES = 64 * 1024 * 1024
"""Of all that waits here. Beyond it the shard that holds most is consumed anew, with fewer at once."""
NARROW_SECONDS = 60.0
AGAIN_SECONDS = 2.0
GATHER_SECONDS = 0.02
"""From the beginning of a group to that of the next: what comes meanwhile shares a transaction."""
YIELD_FACTOR = 4
YIELD_SECONDS = 0.4
"""While the senders want the loop the intake waits so many times as long as its group took, and so long at most."""


@dataclass(frozen=True, slots=True)
class ChannelDropped:
    """The shard's channel is lost or closed, and with it what was not acked: the broker will bring it again."""

    shard: int


@dataclass(frozen=True, slots=True)
class LoopRested:
    """The loop has come to rest, or those with a backlog have waited long enough for that."""


@dataclass(slots=True)
class TakenIn:
    """To a shard, of one committed group: what its queues had brought, and what there is for its conversations."""

    deliveries: list[Delivery] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    row_statuses: list[RowChanged] = field(default_factory=list)
    typed: list[AgentTyped] = field(default_factory=list)


class IntakeActor(RelayActor):
    vital = True

    def __init__(self, parts: Parts, intake: Intake) -> None:
        super().__init__()
        self._parts = parts
        self._intake = intake
        self._waiting = Waiting()
        metrics.intake_waiting.set_function(lambda: self._waiting.count)
        metrics.intake_oldest.set_function(lambda: _ago(self._waiting.oldest))
        self._failures = 0
        self._not_before = 0.0
        self._alarm_at = 0.0
        self._resting: frozenset[str] = frozenset()
        """Lines with a backlog, while the senders have their share of the loop."""
        self._suspects = Suspects()
        self._narrowed: dict[int, float] = {}
        """Shards whose channel brings less at once than usual, and since when (time.monotonic)."""

    def handle(self, command: Any) -> None:
        if isinstance(command, Delivery):
            self._waiting.add(command)
            if self._waiting.size > MOST_HELD_BYTES:
                self._narrow()
        elif isinstance(command, ChannelDropped):
            self._waiting.drop(command.shard)
        elif isinstance(command, LoopRested):
            self._resting = frozenset()
        elif isinstance(command, Stop):
            self.stop()
            return
        elif not isinstance(command, Tick):
            super().handle(command)
        if self._waiting and self.inbox_empty:
            self._go_on()

    def recover(self) -> None:
        """Unacked deliveries stay; take them again in a moment."""
        self._try_later(StoreError("the intake failed; see the log"))

    def _go_on(self) -> None:
        now = time.monotonic()
        if now < self._not_before:
            self._wake_at(self._not_before)
            return
        group = self._group(now)
        if not group:
            return  # until those with a backlog have rested, or a suspect is tried again
        try:
            self._take_in(group)
        except StoreError as error:
            if len(group) == 1 and may_be_its_own(error):
                self._suspects.failed(group[0].line_id, now)
            self._try_later(error)
            return
        self._failures = 0
        self._suspects.worked(group[0].line_id)
        self._not_before = now + GATHER_SECONDS
        self._let_others_work(group, time.monotonic() - now)
        if self._waiting:
            tell(self.actor_ref, Tick())
        else:
            self._widen()

    def _group(self, now: float) -> list[Delivery]:
        """A suspect whose time has come, alone; else what waits of all others."""
        again = self._suspects.due(now)
        if again is not None and (found := self._waiting.first(again)) is not None:
            return [found]
        if again is not None:
            self._suspects.worked(again)  # nothing of it waits here any more
        # What PostgreSQL did not do in time may have been too much at once.
        most = max(1, MOST_UPDATES >> 2 * self._failures)
        group = self._waiting.group(most, MOST_BYTES, self._resting | self._suspects.lines)
        if not group and (at := self._suspects.next_at) is not None:
            self._wake_at(at)
        return group

    def _let_others_work(self, group: Sequence[Delivery], took: float) -> None:
        """One such pause at a time: a backlog that begins during it has its next turn after it."""
        begins = not self._resting
        self._resting |= self._waiting.of(delivery.line_id for delivery in group)
        if begins and self._resting:
            gevent.spawn(self._await_rest, min(YIELD_SECONDS, YIELD_FACTOR * took))

    def _await_rest(self, seconds: float) -> None:
        with gevent.Timeout(seconds, False):
            gevent.idle()
        tell(self.actor_ref, LoopRested())

    def _take_in(self, group: Sequence[Delivery]) -> None:
        """Commit, then ack, then tell. Raises StoreError: nothing is acked, and it is all taken again."""
        taken = self._intake.take([delivery.body for delivery in group], [delivery.trace for delivery in group])
        letters = [Outgoing("", DEAD_LETTERS, dead.body, {"reason": dead.reason}) for dead in taken.dead]
        if letters:
            self._parts.publisher.publish(letters, 10.0)
        self._waiting.taken(group)
        _count(group)
        traced.taken_in(taken.arrived)
        shards: defaultdict[int, TakenIn] = defaultdict(TakenIn)
        for delivery in group:
            shards[delivery.shard].deliveries.append(delivery)
        for shard, news in shards.items():
            self._parts.consumer.ack(shard, news.deliveries)
        self._tell_shards(shards, taken)

    def _try_later(self, error: StoreError) -> None:
        self._failures += 1
        wait = store_backoff(self._failures)
        if self._failures == 1:
            log.warning("intake_waits", error=str(error))
        self._not_before = time.monotonic() + wait
        self._wake_at(self._not_before)

    def _wake_at(self, at: float) -> None:
        """One alarm at a time; the next is set when it has gone off and there is still a while to wait."""
        now = time.monotonic()
        if not now < self._alarm_at <= at:
            self._alarm_at = at
            self._parts.timers.after(at - now, self.actor_ref, Tick())

    # What waits in memory is bounded

    def _narrow(self) -> None:
        """RabbitMQ bounds by number what it brings before the first is acked, and bodies may be large."""
        shard, average = self._waiting.largest()
        if time.monotonic() - self._narrowed.get(shard, 0.0) < AGAIN_SECONDS:
            return  # what it had brought before is still coming out of the inbox
        prefetch = max(1, int(MOST_HELD_BYTES / 2 / self._parts.limits.shards / average))
        log.warning("shard_narrowed", shard=shard, bytes=self._waiting.size, prefetch=prefetch)
        self._waiting.drop(shard)
        self._parts.consumer.reopen(shard, prefetch)
        self._narrowed[shard] = time.monotonic()

    def _widen(self) -> None:
        """Nothing waits, so nothing is brought twice."""
        for shard, since in list(self._narrowed.items()):
            if time.monotonic() - since > NARROW_SECONDS:
                self._parts.consumer.reopen(shard, PREFETCH)
                del self._narrowed[shard]

    # What came of it

    def _tell_shards(self, shards: defaultdict[int, TakenIn], taken: Taken) -> None:
        """Each shard once, and first what its queues brought: conversations are held by what is still uncommitted."""
        for arrived in taken.arrived:
            shards[arrived.mapping.shard].arrived.append(arrived)
        for row_status in taken.row_statuses:
            shards[row_status.shard].row_statuses.append(RowChanged(row_status))
        for typed in taken.typed:
            shards[typed.shard].typed.append(typed)
        for number, news in shards.items():
            if not tell(self._parts.shards.get(number), news):
                self._hint(number, news)

    def _hint(self, shard: int, news: TakenIn) -> None:
        """The home shard is another daemon's: PostgreSQL tells it."""
        ids = {one.mapping.conversation_id for one in news.arrived}
        ids |= {one.row_status.conversation_id for one in news.row_statuses}
        if not ids:
            return
        try:
            with self._parts.pool.transaction() as cursor:
                for conversation_id in ids:
                    sweep.notify(cursor, shard, conversation_id)
        except StoreError as error:
            log.warning("hint_not_given", shard=shard, error=str(error))  # the owner's sweep finds the rows


def _count(group: Sequence[Delivery]) -> None:
    for delivery in group:
        if delivery.arrived_at is not None:
            metrics.intake_seconds.observe(_ago(delivery.arrived_at))


def _ago(at: float | None) -> float:
    """Seconds; 0 of nothing, and of what a clock ahead of ours stamped."""
    return max(0.0, even_clock.now() - at) if at is not None else 0.0
