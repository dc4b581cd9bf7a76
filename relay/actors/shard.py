"""ShardActor: one slice of the conversations. Consumes their queues for the intake, and hosts them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import gevent
import structlog

from db.daemons import shards
from db.mailbox import sweep
from relay import even_clock, metrics
from relay.actors.conversation import ConversationActor
from relay.actors.intake import ChannelDropped, TakenIn
from relay.broker.envelopes import Delivery, mark
from relay.core.conversation.events import QueueCaughtUp, RoomWanted, RowChanged, Wake
from relay.core.conversation.hold import Hold
from relay.core.conversation.place import Place
from relay.core.conversation.room import MemoryRoom
from relay.core.errors import StoreError
from relay.core.messages import Direction
from relay.core.queues import INBOUND, OUTBOUND
from relay.intake.passage import Passage
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import Ref, Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

BEHIND_SECONDS = 0.1
"""Until it is asked again whether the journal has caught up."""
MARK_SECONDS = 5.0
"""So long a mark is tried to be published before the queue's depth is asked for instead."""
MARK_COMES_SECONDS = 10.0
"""A mark that has not come back by then is put once more: an earlier owner, which still had its channel, may have taken
it and acked it."""
OTHERS_SECONDS = 60.0
"""So long the wait for word of adopted calls may be put off by deliveries that cannot be committed."""
MARK_AGAIN_SECONDS = 1.0
LIVE_PER_LINE = 256
"""Conversations of one line in one daemon's memory, shared out to its shards: 32 senders need no more.

All that have something to do take turns at the event loop, so their number is how long everybody's next turn takes.
"""
LIVE = 8192
"""Of all lines; each takes some 10 KB."""
WAITING = 200_000
"""Remembered as waiting for room, each 150 bytes. Whom there is no room for even there the sweep finds."""
DIRECTION: dict[str, Direction] = {INBOUND: "inbound", OUTBOUND: "outbound"}


@dataclass(frozen=True, slots=True)
class BeginShard:
    """Adopt what the last owner left, then consume."""


@dataclass(frozen=True, slots=True)
class WakeRest:
    """Go on waking the conversations that the last owner left unfinished, after this row."""

    after: sweep.Bookmark


@dataclass(frozen=True, slots=True)
class FoundUnfinished:
    """Rows of this shard's conversations that were found in PostgreSQL."""

    rows: Sequence[sweep.UnfinishedMessage]


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel of this number brings what is in the queues."""

    generation: int


@dataclass(frozen=True, slots=True)
class MarkCame:
    """A mark has come through the queue: ours, or one of a daemon that is gone."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class NotMarked:
    """The broker did not take the channel's marks."""

    generation: int


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """A conversation has left memory while others wait for room."""


class LiveConversation(NamedTuple):
    """A conversation in memory."""

    ref: Ref
    line_id: str
    """As it was known when it came into memory."""


class ShardActor(RelayActor):
    """`from_dead`: its last owner was found dead, and nothing that it began is under way."""

    vital = True

    def __init__(self, parts: Parts, number: int, epoch: int, *, from_dead: bool = False) -> None:
        super().__init__()
        self._from_dead = from_dead
        self._parts = parts
        self._number = number
        self._epoch = epoch
        # Three deadlines, and a while for the journal.
        self._place = Place(number, epoch, 3 * parts.limits.request + 30.0, parts.channels["whatsapp"].cause)
        self._passages: dict[Direction, Passage] = {
            one: Passage(parts.limits.reorder_window, parts.pace) for one in DIRECTION.values()
        }
        self._conversations: dict[str, LiveConversation] = {}
        shards = parts.limits.shards
        self._room = MemoryRoom(max(4, LIVE_PER_LINE // shards), max(16, LIVE // shards), max(100, WAITING // shards))
        self._asked_to_leave: set[str | None] = set()
        """Lines, or None for all of them."""
        self._generation = 0
        """The number of the channel, once it is open."""
        self._undated = False
        """The wait for word of the calls that were adopted has not begun."""
        self._date_by = inf
        """Then it begins, whatever is uncommitted (time.monotonic)."""
        self._begun = False
        self._ended = False

    def handle(self, command: Any) -> None:
        if self._ended:
            return
        if isinstance(command, TakenIn):
            self._taken_in(command)
        elif isinstance(command, (RowChanged, Wake)):
            self._dispatch(command)
        elif isinstance(command, FoundUnfinished):
            self._found(command.rows)
        elif isinstance(command, RoomLeft):
            self._fill()
        elif isinstance(command, BeginShard):
            self._begin()
        elif isinstance(command, WakeRest):
            self._wake_rest(command.after)
        elif isinstance(command, Stop):
            self._end()
        elif isinstance(command, (Opened, MarkCame, NotMarked, Tick)):
            self._about_queues(command)
        else:
            super().handle(command)

    def _about_queues(self, command: Opened | MarkCame | NotMarked | Tick) -> None:
        match command:
            case Opened(generation):
                self._opened(generation)
            case NotMarked(generation):
                self._not_marked(generation)
            case MarkCame(delivery):
                self._parts.consumer.ack(self._number, [delivery])
                self._caught_up()
            case _:
                self._date_unknowns()

    def recover(self) -> None:
        if not self._begun:
            self._parts.timers.after(1.0, self.actor_ref, BeginShard())

    # Ownership

    def _begin(self) -> None:
        if self._begun:
            return
        if self._parts.journal_behind:  # what it holds would be taken for calls without an end, and made again
            self._parts.timers.after(BEHIND_SECONDS, self.actor_ref, BeginShard())
            return
        with self._parts.pool.transaction() as cursor:
            adopted = shards.adopt_claims(
                cursor, self._number, self._epoch, from_dead=self._from_dead, ended=self._parts.unwritten.ended_ids()
            )
        self._undated = adopted > 0
        self._parts.consumer.open(self._number, self._delivered, on_lost=self._lost, on_opened=self._tell_opened)
        self._begun = True
        log.info("shard_taken", shard=self._number, epoch=self._epoch, unknown_outcomes=adopted)
        self._wake_rest(sweep.START)

    def _wake_rest(self, after: sweep.Bookmark) -> None:
        """A page at a time, between groups of new work: how much was left unfinished has no limit."""
        with self._parts.pool.autocommit() as cursor:
            found = sweep.page(cursor, [self._number], after)
        for conversation_id, line_id in {one.conversation_id: one.line_id for one in found}.items():
            self._conversation(conversation_id, line_id)
        if len(found) >= sweep.PAGE:
            tell(self.actor_ref, WakeRest(found[-1].bookmark))

    def _date_unknowns(self) -> None:
        """The wait for word of adopted calls begins once what was in the queues is taken in: it may be there."""
        passages = self._passages.values()
        if not self._undated or not all(passage.has_caught_up for passage in passages):
            return
        if any(passage.behind for passage in passages) and time.monotonic() < self._date_by:
            return
        try:
            with self._parts.pool.transaction() as cursor:
                waiting = shards.date_unknowns(cursor, self._number, self._parts.limits.unknown_outcome)
        except StoreError as error:
            log.debug("shard_waits_for_postgresql", shard=self._number, error=str(error))
            self._parts.timers.after(1.0, self.actor_ref, Tick())
            return
        self._undated = False
        for conversation_id in waiting:
            self._dispatch(Wake(conversation_id))

    def _end(self) -> None:
        """Close the channel first: what was not acked goes to the next owner, in order."""
        self._ended = True
        self._parts.consumer.close(self._number)
        self._lost(self._number)
        for live in list(self._conversations.values()):
            tell(live.ref, Stop())
        self.stop()

    # What the queues bring, by way of the intake

    def _delivered(self, delivery: Delivery) -> None:
        """Runs in the consumer's greenlet, so that a lane knows at once that something is coming."""
        passage, now, steady = self._passages[DIRECTION[delivery.exchange]], even_clock.now(), time.monotonic()
        if delivery.mark is None:
            passage.delivered(delivery, now, steady)
            tell(self._parts.intake, delivery)
            return
        if delivery.mark == self._name_of_mark(delivery.generation):
            passage.marked(delivery, now, steady)
        tell(self.actor_ref, MarkCame(delivery))

    def _lost(self, number: int) -> None:
        """Runs in the consumer's greenlet as well."""
        for passage in self._passages.values():
            passage.lost(even_clock.now(), time.monotonic())
        tell(self._parts.intake, ChannelDropped(number))

    # What is in a queue when its channel is opened

    def _tell_opened(self, _number: int, generation: int, most: int) -> None:
        for passage in self._passages.values():
            passage.opened(most)
        tell(self.actor_ref, Opened(generation))

    def _name_of_mark(self, generation: int) -> str:
        return f"{self._parts.lease.daemon_id}/{generation}"

    def _opened(self, generation: int) -> None:
        self._generation = max(self._generation, generation)
        if generation == self._generation and not all(one.has_caught_up for one in self._passages.values()):
            gevent.spawn(self._mark, generation)  # a broker that takes nothing for now must not hold up the shard

    def _mark(self, generation: int) -> None:
        """Behind all that is in the queues: once it comes back, what was lost with the last channel has come again."""
        name = self._name_of_mark(generation)
        try:
            self._parts.publisher.publish([mark(exchange, self._number, name) for exchange in DIRECTION], MARK_SECONDS)
        except StoreError as error:
            log.warning("queue_not_marked", shard=self._number, error=str(error))
            tell(self.actor_ref, NotMarked(generation))
        else:
            self._parts.timers.after(MARK_COMES_SECONDS, self.actor_ref, Opened(generation))

    def _not_marked(self, generation: int) -> None:
        """A broker that is short of memory takes nothing, and brings what it has all the same."""
        if generation != self._generation or not any(passage.behind for passage in self._passages.values()):
            return
        if self._is_empty():
            for passage in self._passages.values():
                passage.caught_up(time.monotonic())
            self._caught_up()
        else:
            self._parts.timers.after(MARK_AGAIN_SECONDS, self.actor_ref, Opened(generation))

    def _caught_up(self) -> None:
        for live in self._conversations.values():
            tell(live.ref, QueueCaughtUp())
        if self._undated and self._date_by == inf:
            self._date_by = time.monotonic() + OTHERS_SECONDS
            self._parts.timers.after(OTHERS_SECONDS, self.actor_ref, Tick())
        self._date_unknowns()

    def _is_empty(self) -> bool:
        try:
            return self._parts.consumer.depth(self._number) == 0
        except StoreError:
            return False

    def _taken_in(self, news: TakenIn) -> None:
        for exchange, direction in DIRECTION.items():
            self._passages[direction].committed(
                [one for one in news.deliveries if one.exchange == exchange], even_clock.now(), time.monotonic()
            )
        for arrived in news.arrived:
            mapping = arrived.mapping
            ref = self._conversation(mapping.conversation_id, mapping.line_id, read=not arrived.nothing_else)
            tell(ref, arrived)  # without room it is read when its turn comes
        for typed in news.typed:
            tell(self._conversation(typed.conversation_id), typed)
        for stands in news.row_statuses:
            self._dispatch(stands)
        self._date_unknowns()

    # Conversations

    def _found(self, rows: Sequence[sweep.UnfinishedMessage]) -> None:
        """Nothing is said of what was seen where a call ended without word: that conversation must read."""
        groups: dict[tuple[str, str], list[sweep.UnfinishedMessage]] = {}
        for one in rows:
            groups.setdefault((one.conversation_id, one.line_id), []).append(one)
        for (conversation_id, line_id), found in groups.items():
            stale = any(one.stale for one in found)
            seen: tuple[Any, ...] = () if stale else tuple((one.message_id, one.lane) for one in found)
            tell(self._conversation(conversation_id, line_id), Wake(conversation_id, seen))

    def _dispatch(self, command: RowChanged | Wake) -> None:
        if isinstance(command, Wake):
            tell(self._conversation(command.conversation_id), command)
            return
        row_status = command.row_status
        if row_status.conversation_id in self._conversations:
            tell(self._conversations[row_status.conversation_id].ref, command)
        elif row_status.report is not None:
            tell(self._conversation(row_status.conversation_id), Wake(row_status.conversation_id))

    def _conversation(self, conversation_id: str, line_id: str = "", *, read: bool = True) -> Ref | None:
        """The live actor, or a new one, which reads what rows there are before it sends, unless there are none.

        None: its line has no room in memory now, and it will be started when it has.
        `line_id`: "" where it is not known now; then it takes no room from those of any line.
        """
        live = self._conversations.get(conversation_id)
        if live is not None and live.ref.is_alive():
            return live.ref
        if live is not None:
            self._left(conversation_id)
        if not self._room.enter(conversation_id, line_id):
            self._want_room(line_id)
            return None
        return self._start(conversation_id, line_id, read=read)

    def _start(self, conversation_id: str, line_id: str, *, read: bool) -> Ref:
        ref: Ref = ConversationActor.start(self._parts, conversation_id, self._place, self._hold, self._left)
        self._conversations[conversation_id] = LiveConversation(ref, line_id)
        metrics.conversations.inc()
        if read:
            tell(ref, Wake(conversation_id))
        if self._room.wanted(line_id):
            tell(ref, RoomWanted())
        return ref

    def _hold(self, line_id: str, direction: Direction) -> Hold:
        """What a conversation looks at, in its own greenlet, to know how long to hold a message of its line."""
        return self._passages[direction].hold(line_id, time.monotonic())

    # Room in memory

    def _want_room(self, line_id: str) -> None:
        """Ask those in whose place others wait to leave when they have nothing to do: once, until nobody waits."""
        whose = None if self._room.full else line_id
        if whose in self._asked_to_leave:
            return
        self._asked_to_leave.add(whose)
        for live in self._conversations.values():
            if whose is None or live.line_id == whose:
                tell(live.ref, RoomWanted())

    def _left(self, conversation_id: str) -> None:
        """A conversation leaves in one step, without I/O: nobody can tell it anything after this."""
        live = self._conversations.pop(conversation_id, None)
        if live is not None:
            metrics.conversations.dec()
            self._room.leave(live.line_id)
            if self._room.wanted(None):
                tell(self.actor_ref, RoomLeft())

    def _fill(self) -> None:
        while (found := self._room.following()) is not None:
            self._start(*found, read=True)
        self._asked_to_leave = {one for one in self._asked_to_leave if self._room.wanted(one)}
