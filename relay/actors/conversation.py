"""ConversationActor: one contact on one line. What comes for it goes into its lanes, and out of them in its turn.

Started when there is work, it leaves memory when there has been none for a while. It holds nothing
that is not in PostgreSQL: after any failure it forgets everything and reads its rows again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from db.contacts import conversations
from db.mailbox import unfinished
from relay.conversation.asides import Asides
from relay.conversation.lanes import Lanes
from relay.conversation.outcomes import Outcomes
from relay.conversation.preparation import Preparation
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.departure import WINDOW_CLOSED, Hindrance, hindrance
from relay.core.conversation.dispatch import DispatchJob
from relay.core.conversation.hold import Hold
from relay.core.conversation.lane import LANE_LIMIT, NEVER, Entry, Lane
from relay.core.errors import StoreError
from relay.core.mailbox import Verdict
from relay.core.messages import Direction
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import (
    Arrived,
    AskTurn,
    Dispatch,
    LaneName,
    NotClaimed,
    Outcome,
    PassTurn,
    Prepared,
    Reported,
    Settled,
    Signalled,
    Stands,
    Tick,
    Turn,
    Typed,
    Wake,
)
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

IDLE_SECONDS = 60.0
ASK_AGAIN_SECONDS = 45.0
"""A turn asked for and never given is asked for again: its channel may have been restarted."""


class ConversationActor(RelayActor):
    def __init__(
        self,
        parts: Parts,
        conversation_id: str,
        shard: int,
        epoch: int,
        holds: dict[Direction, Hold],
        leave: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._parts = parts
        self._id = conversation_id
        self._shard = shard
        self._epoch = epoch
        self._holds = holds
        self._leave = leave
        self._mapping: ConversationMapping | None = None
        self._preparation = Preparation(parts, self.actor_ref, self._wake_at, self._give_up)
        self._forget()

    def _forget(self) -> None:
        self._lanes = Lanes(self._holds)
        self._asides = Asides(self._parts, self.actor_ref, self._ask, self._wake_at, lambda: self._wake_later(0.0))
        self._outcomes = Outcomes(self._lanes, self._asides, self._wake_later)
        self._asked: dict[LaneName, float] = {}
        self._alarm_at = NEVER
        self._busy_at = time.monotonic()
        self._reload_later = False
        self._read = False

    def handle(self, command: Any) -> None:
        if isinstance(command, Tick):
            if command.at != self._alarm_at:
                return  # an alarm that a sooner one has replaced
            self._alarm_at = NEVER
            self._outcomes.look_after_stuck(3 * self._parts.limits.request + 30.0)  # three deadlines
        elif isinstance(command, Stop):
            self._end()
            return
        else:
            self._busy_at = time.monotonic()
            self._take(command)
        self._advance()

    def _take(self, command: Any) -> None:
        if isinstance(command, Arrived):
            self._learn(command.mapping)
            self._arrived(command)
        elif isinstance(command, Turn):
            self._turn(command)
        elif isinstance(command, Settled):
            self._settled(command)
        elif isinstance(command, Stands):
            self._outcomes.told(command.standing)
        elif isinstance(command, Prepared):
            self._prepared(command)
        elif isinstance(command, (Reported, Signalled, Typed)):
            self._asides.take(command)
        elif isinstance(command, NotClaimed):
            self._outcomes.lost(command.message_id, "not_claimed")
        elif isinstance(command, Wake):
            self._woken(command)
        else:
            super().handle(command)

    # What there is to do

    def _arrived(self, arrived: Arrived) -> None:
        if self._read:  # else older rows may be waiting: these are read together with them
            self._lanes.add(arrived.rows)

    def _learn(self, mapping: ConversationMapping) -> None:
        """Another shard's intake may know less than we do: what only grows stays."""
        known = self._mapping or mapping
        self._mapping = replace(
            mapping,
            genesys_conversation_id=mapping.genesys_conversation_id or known.genesys_conversation_id,
            window_until=max(filter(None, (mapping.window_until, known.window_until)), default=None),
            last_inbound_id=mapping.last_inbound_id or known.last_inbound_id,
        )

    def _woken(self, wake: Wake) -> None:
        self._reload_later = False
        if not wake.seen or not all(self._knows(*one) for one in wake.seen):
            self._reload()

    def _knows(self, message_id: str, lane: LaneName) -> bool:
        if lane == "report" or lane == "signal":
            return self._asides.reports.knows(message_id)
        return self._lanes.knows(message_id, lane)

    def _reload(self) -> None:
        try:
            found = unfinished.read(self._parts.pool, self._id, LANE_LIMIT)
        except StoreError as error:
            log.warning("conversation_waits_for_postgresql", conversation_id=self._id, error=str(error))
            self._wake_later(2.0)
            return
        self._read = True
        if found.mapping is not None:
            self._mapping = found.mapping  # a window that the provider says is closed has become shorter
        for message_id in self._lanes.load(found.lanes):
            self._asides.reports.forget(message_id)
        self._asides.reports.load(found.reports)

    # What goes next

    def _advance(self) -> None:
        for direction, lane in self._lanes.items():
            self._step(direction, lane)
        self._asides.step()
        if self._idle():
            self._end()
        elif self._alarm_at == NEVER:
            self._wake_at(time.time() + IDLE_SECONDS)

    def _step(self, direction: Direction, lane: Lane) -> None:
        """Have files made ready, and ask for a turn if the lane's first may go; else wake when it may."""
        if lane.wants_more and not self._reload_later:
            self._reload()
        if self._mapping is not None:
            self._preparation.ahead(direction, lane, self._mapping)
        due = self._lanes.due(direction)
        if due is None:
            return
        if due > time.time():
            self._wake_at(due)
        elif lane.waiting[0].prepared:
            self._ask(direction)

    def _ask(self, lane: LaneName) -> None:
        now = time.monotonic()
        if now - self._asked.get(lane, -NEVER) < ASK_AGAIN_SECONDS or self._mapping is None:
            return
        self._asked[lane] = now
        self._wake_at(time.time() + ASK_AGAIN_SECONDS)
        tell(self._parts.tenant(self._mapping.tenant_id), AskTurn(self._mapping.line_id, self.actor_ref, lane))

    # Its turn, and how that ended

    def _turn(self, turn: Turn) -> None:
        self._asked.pop(turn.lane, None)
        if self._mapping is None:
            tell(turn.channel, PassTurn(turn.sender))
            return
        try:
            if turn.lane == "report" or turn.lane == "signal":
                self._asides.turn(turn, self._mapping)
            else:
                self._launch(turn, turn.lane)
        except StoreError:
            tell(turn.channel, PassTurn(turn.sender))  # nothing was handed to it yet
            raise

    def _launch(self, turn: Turn, direction: Direction) -> None:
        """Hand the lane's first message to the sender that the channel lends, or finish it without a call."""
        first = self._lanes.ready(direction)
        if first is None:
            tell(turn.channel, PassTurn(turn.sender))
            return
        why = self._hindrance(first, direction, turn)
        if why is not None:
            tell(turn.channel, PassTurn(turn.sender))
            self._set_aside(first, why)
            return
        assert self._mapping is not None
        self._outcomes.settings = turn.settings
        entry, to = self._lanes.launch(direction), self._mapping.recipient
        job = DispatchJob(
            entry.id, self._id, direction, entry.message, to, entry.attempts + 1, entry.key.arrived_at,
            self._shard, self._epoch, entry.failures, entry.first_failure,
        )  # fmt: skip
        tell(turn.sender, Dispatch(job, self.actor_ref))

    def _hindrance(self, entry: Entry, direction: Direction, turn: Turn) -> Hindrance | None:
        """The window counts as closed once PostgreSQL, where others write down what they heard, says so too."""
        assert self._mapping is not None
        found = hindrance(entry, direction, self._mapping.window_until, turn.settings, time.time())
        if found is not WINDOW_CLOSED:
            return found
        self._mapping = conversations.by_id(self._parts.pool, self._id) or self._mapping
        return hindrance(entry, direction, self._mapping.window_until, turn.settings, time.time())

    def _settled(self, settled: Settled) -> None:
        """The journal's word; Genesys names its conversation with the first message that it takes."""
        if self._outcomes.settled(settled) and settled.genesys_conversation_id and self._mapping is not None:
            self._mapping = replace(self._mapping, genesys_conversation_id=settled.genesys_conversation_id)

    # Files, and what ends without a call

    def _prepared(self, prepared: Prepared) -> None:
        entry = self._lanes[prepared.direction].get(prepared.message_id)
        if entry is not None:
            self._preparation.done(entry, prepared)

    def _give_up(self, entry: Entry, code: str, text: str) -> None:
        self._set_aside(entry, Hindrance("failed", code, text))

    def _set_aside(self, entry: Entry, why: Hindrance) -> None:
        """Finish without a call; the journal writes it, and the agent's side is told."""
        assert self._mapping is not None
        verdict = Verdict(entry.id, self._epoch, entry.attempts, why.state, time.time(), why.code, why.text)
        # Holds the lane until the journal has written it.
        entry.prepared, entry.preparing = False, True
        entry.preparing_at = time.monotonic()
        tell(
            self._parts.journal,
            Outcome(self.actor_ref, self._id, entry.id, self._mapping.line_id, None, verdict=verdict),
        )

    # Waking and leaving

    def _wake_at(self, at: float) -> None:
        """`at` is Unix seconds."""
        if at < self._alarm_at:
            self._alarm_at = at
            self._parts.timers.after(at - time.time(), self.actor_ref, Tick(at))

    def _wake_later(self, seconds: float) -> None:
        """Read again after a while; one such alarm at a time."""
        if not self._reload_later:
            self._reload_later = True
            self._parts.timers.after(seconds, self.actor_ref, Wake(self._id))

    def recover(self) -> None:
        """Start anew from PostgreSQL. A call under way goes on; its row says `sending` until it ends."""
        self._forget()
        self._wake_later(1.0)

    def _idle(self) -> bool:
        work = self._asides or self._asked.keys() - {"signal"} or not self._lanes.empty
        return not work and self.inbox_empty and time.monotonic() - self._busy_at >= IDLE_SECONDS

    def _end(self) -> None:
        self._leave(self._id)
        self.stop()
