"""ShardActor: one slice of the conversations. Takes in what its queues bring, and hosts its conversations.

The broker's delivery is acked as soon as its row is committed; from there on the row is the message.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from db.daemons import shards
from db.mailbox import sweep
from relay import metrics
from relay.actors.conversation import ConversationActor
from relay.broker.consumer import Delivery
from relay.broker.publisher import Outgoing
from relay.broker.updates import unpacked
from relay.core.conversation.events import AgentTyped, Arrived, RowChanged, Wake
from relay.core.conversation.hold import Hold
from relay.core.conversation.place import Place
from relay.core.errors import StoreError
from relay.core.messages import Direction
from relay.core.queues import DEAD_LETTERS, INBOUND, OUTBOUND
from relay.core.retry import backoff
from relay.intake.intake import Intake, Taken
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import Ref, Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

BATCH = 500
BATCH_BYTES = 4 * 1024 * 1024
"""Of one transaction, unless a single update has more: what is read and written at once has to end in time."""
ASK_DEPTH_SECONDS = 10.0
DIRECTION: dict[str, Direction] = {INBOUND: "inbound", OUTBOUND: "outbound"}


@dataclass(frozen=True, slots=True)
class Begin:
    """Adopt what the last owner left, then consume."""


@dataclass(frozen=True, slots=True)
class WakeRest:
    """Go on waking the conversations that the last owner left unfinished, after this row."""

    after: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The shard's channel is gone, and with it everything unacked: the broker will bring it again."""


class ShardActor(RelayActor):
    def __init__(self, parts: Parts, number: int, epoch: int) -> None:
        super().__init__()
        self._parts = parts
        self._number = number
        self._epoch = epoch
        self._intake = Intake(parts.pool, parts.channels, parts.limits.shards)
        # Three deadlines, and a while for the journal.
        self._place = Place(number, epoch, 3 * parts.limits.request + 30.0, parts.channels["whatsapp"].cause)
        self._holds: dict[Direction, Hold] = {one: Hold(parts.limits.reorder_window) for one in DIRECTION.values()}
        self._deliveries: list[Delivery] = []
        self._conversations: dict[str, Ref] = {}
        self._failures = 0
        self._resting_until = 0.0
        self._to_drain: int | None = None
        self._ask_depth_at = 0.0
        self._begun = False

    def handle(self, command: Any) -> None:
        if isinstance(command, Delivery):
            self._deliveries.append(command)
        elif isinstance(command, (Arrived, RowChanged, AgentTyped, Wake)):
            self._dispatch(command)
        elif isinstance(command, Begin):
            self._begin()
        elif isinstance(command, WakeRest):
            self._wake_rest(command.after)
        elif isinstance(command, Lost):
            self._deliveries.clear()
            for direction, hold in self._holds.items():
                self._holds[direction] = hold.channel_lost()
        elif isinstance(command, Stop):
            self._end()
            return
        elif isinstance(command, Tick):
            self._drained(0)
        else:
            super().handle(command)
        full = len(self._deliveries) >= BATCH
        if self._deliveries and (full or self.inbox_empty) and time.monotonic() >= self._resting_until:
            self._take_in()

    def recover(self) -> None:
        """Unacked deliveries stay; take them again in a moment."""
        if not self._begun:
            self._parts.timers.after(1.0, self.actor_ref, Begin())
        self._rest(StoreError("the intake failed; see the log"))

    # Ownership

    def _begin(self) -> None:
        if self._begun:
            return
        with self._parts.pool.transaction() as cursor:
            adopted = shards.adopt_claims(cursor, self._number, self._epoch)
        # A receipt that settles an adopted claim may be waiting in the queue: drain this far first.
        self._to_drain = self._depth() if adopted else None
        self._ask_depth_at = time.monotonic() + ASK_DEPTH_SECONDS
        if adopted:
            self._parts.timers.after(ASK_DEPTH_SECONDS, self.actor_ref, Tick())
        for direction, hold in self._holds.items():
            self._holds[direction] = hold.consuming(time.time())
        self._parts.consumer.open(
            self._number,
            self._delivered,
            on_lost=self._lost,
        )
        self._begun = True
        log.info("shard_taken", shard=self._number, epoch=self._epoch, unknown_outcomes=adopted)
        self._drained(0)
        self._wake_rest(0)

    def _wake_rest(self, after: int) -> None:
        """A page at a time, between batches of new work: how much was left unfinished has no limit."""
        with self._parts.pool.autocommit() as cursor:
            found = sweep.page(cursor, [self._number], after)
        for conversation_id in {one.conversation_id for one in found}:
            self._conversation(conversation_id)
        if len(found) >= sweep.PAGE:
            tell(self.actor_ref, WakeRest(found[-1].seq))

    def _depth(self) -> int:
        try:
            return self._parts.consumer.depth(self._number)
        except StoreError:
            return 0

    def _drained(self, taken: int) -> None:
        """Once the queue is drained past its depth at the take-over, the wait for receipts begins."""
        if self._to_drain is None:
            return
        self._to_drain -= taken
        if self._to_drain > 0 and not self._empty_by_now():
            return
        with self._parts.pool.transaction() as cursor:
            waiting = shards.date_unknowns(cursor, self._number, self._parts.limits.unknown_outcome)
        self._to_drain = None
        for conversation_id in waiting:
            self._dispatch(Wake(conversation_id))

    def _empty_by_now(self) -> bool:
        """What the last owner still acked never comes here: ask the broker now and then."""
        if time.monotonic() < self._ask_depth_at:
            return False
        self._ask_depth_at = time.monotonic() + ASK_DEPTH_SECONDS
        self._parts.timers.after(ASK_DEPTH_SECONDS, self.actor_ref, Tick())
        return self._depth() == 0

    def _end(self) -> None:
        """Close the channel first: what was not acked goes to the next owner, in order."""
        self._parts.consumer.close(self._number)
        for ref in list(self._conversations.values()):
            tell(ref, Stop())
        self.stop()

    # Intake

    def _delivered(self, delivery: Delivery) -> None:
        """Runs in the consumer's greenlet, so that a lane knows at once that something is coming."""
        direction = DIRECTION[delivery.exchange]
        self._holds[direction] = self._holds[direction].delivered()
        tell(self.actor_ref, delivery)

    def _lost(self, _number: int) -> None:
        tell(self.actor_ref, Lost())

    def _take_in(self) -> None:
        # What PostgreSQL did not do in time may have been too much at once.
        group = _next(self._deliveries, max(1, BATCH >> 2 * self._failures))
        try:
            taken = self._intake.take([delivery.body for delivery in group])
            self._bury(taken)
        except StoreError as error:
            self._rest(error)
            return
        self._failures = 0
        del self._deliveries[: len(group)]
        self._parts.consumer.ack(self._number, group)
        for direction, number in Counter(DIRECTION[delivery.exchange] for delivery in group).items():
            self._holds[direction] = self._holds[direction].committed(number)
        for direction, arrivals in taken.arrivals.items():
            self._holds[direction] = self._holds[direction].took_in(min(arrivals), max(arrivals), time.time())
        for arrived in taken.arrived:
            self._hand_over(arrived.mapping.shard, arrived)
        for typed in taken.typed:
            self._hand_over(typed.shard, typed)
        for standing in taken.standings:
            self._hand_over(standing.shard, RowChanged(standing))
        self._drained(len(group))
        if self._deliveries:
            tell(self.actor_ref, Tick())

    def _bury(self, taken: Taken) -> None:
        letters = [Outgoing("", DEAD_LETTERS, dead.body, {"reason": dead.reason}) for dead in taken.dead]
        if letters:
            self._parts.publisher.publish(letters, 10.0)

    def _rest(self, error: StoreError) -> None:
        self._failures += 1
        wait = backoff(self._failures)
        log.warning("intake_waits", shard=self._number, seconds=wait, error=str(error))
        self._resting_until = time.monotonic() + wait
        self._parts.timers.after(wait, self.actor_ref, Tick())

    # Conversations

    def _hand_over(self, shard: int, command: Arrived | RowChanged | AgentTyped) -> None:
        """To the home shard: this one, another one here, or another daemon's."""
        if shard == self._number:
            self._dispatch(command)
        elif not tell(self._parts.shards.get(shard), command) and not isinstance(command, AgentTyped):
            conversation_id = (
                command.mapping.conversation_id if isinstance(command, Arrived) else command.standing.conversation_id
            )
            try:
                with self._parts.pool.autocommit() as cursor:
                    sweep.notify(cursor, shard, conversation_id)
            except StoreError as error:
                log.warning("hint_not_given", shard=shard, error=str(error))  # the owner's sweep finds the row

    def _dispatch(self, command: Arrived | RowChanged | AgentTyped | Wake) -> None:
        if isinstance(command, Arrived):
            tell(self._conversation(command.mapping.conversation_id), command)
        elif isinstance(command, (AgentTyped, Wake)):
            tell(self._conversation(command.conversation_id), command)
        elif command.standing.conversation_id in self._conversations:
            tell(self._conversations[command.standing.conversation_id], command)
        elif command.standing.report is not None:
            tell(self._conversation(command.standing.conversation_id), Wake(command.standing.conversation_id))

    def _conversation(self, conversation_id: str) -> Ref:
        """The live actor, or a new one; a new one reads what older rows there are before it sends."""
        ref = self._conversations.get(conversation_id)
        if ref is None or not ref.is_alive():
            ref = ConversationActor.start(self._parts, conversation_id, self._place, self._holds, self._left)
            self._conversations[conversation_id] = ref
            metrics.conversations.inc()
            tell(ref, Wake(conversation_id))
        return ref

    def _left(self, conversation_id: str) -> None:
        """A conversation leaves in one step, without I/O: nobody can tell it anything after this."""
        if self._conversations.pop(conversation_id, None) is not None:
            metrics.conversations.dec()


def _next(deliveries: Sequence[Delivery], most: int = BATCH) -> Sequence[Delivery]:
    """The oldest, as many as one transaction takes: one at least, and with `most` updates at most."""
    size, updates, count = 0, 0, 0
    for delivery in deliveries[:most]:
        size += len(delivery.body)
        updates += len(unpacked(delivery.body))
        if count and (size > BATCH_BYTES or updates > most):
            break
        count += 1
    return deliveries[:count]
