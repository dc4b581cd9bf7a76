"""ConversationActor: one contact on one line. Its two lanes keep the order; its reports follow.

Started when there is work, it leaves memory when there has been none for a while. It holds nothing
that is not in PostgreSQL: after any failure it forgets everything and reads its rows again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from collections.abc import Mapping as LineSettings
from dataclasses import replace
from typing import Any

import structlog

from db import conversations, mailbox
from db.claims import Standing, Verdict
from db.conversations import Mapping
from db.messages import Row
from relay import metrics
from relay.actors.asides import Asides
from relay.actors.base import RelayActor, Stop, tell
from relay.actors.commands import (
    Arrived,
    AskTurn,
    LaneName,
    NotClaimed,
    Outcome,
    PassTurn,
    Prepared,
    Reported,
    Send,
    Settled,
    Signalled,
    Stands,
    Tick,
    Turn,
    Typed,
    Wake,
)
from relay.actors.entries import entry_of
from relay.actors.parts import Parts
from relay.actors.preparation import Preparation
from relay.core import window
from relay.core.errors import StoreError
from relay.core.hold import Hold
from relay.core.lane import LANE_LIMIT, NEVER, Entry, Lane
from relay.core.limits import PairBucket
from relay.core.messages import Direction
from relay.core.status import UNFINISHED

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
        self._mapping: Mapping | None = None
        self._preparation = Preparation(parts, self.actor_ref, self._wake_at, self._give_up)
        self._forget()

    def _forget(self) -> None:
        self._lanes: dict[Direction, Lane] = {direction: Lane(hold) for direction, hold in self._holds.items()}
        self._asides = Asides(self._parts, self.actor_ref, self._ask, self._wake_at, lambda: self._wake_later(0.0))
        self._asked: dict[LaneName, float] = {}
        self._pair = PairBucket()
        self._alarm_at = NEVER
        self._busy_at = time.monotonic()
        self._handset: str | None = None
        self._reload_later = False
        self._settings: LineSettings[str, Any] = {}
        self._read = False

    def handle(self, command: Any) -> None:
        if isinstance(command, Tick):
            if command.at != self._alarm_at:
                return  # an alarm that a sooner one has replaced
            self._alarm_at = NEVER
            self._look_after_stuck()
        elif isinstance(command, Stop):
            self._end()
            return
        else:
            self._busy_at = time.monotonic()
            self._take(command)
        self._advance()

    def _take(self, command: Any) -> None:
        if isinstance(command, (Arrived, Typed)):
            self._learn(command.mapping)
        if isinstance(command, Arrived):
            self._add(command.rows)
        elif isinstance(command, Turn):
            self._turn(command)
        elif isinstance(command, Settled):
            self._settled(command)
        elif isinstance(command, Stands):
            self._told(command.standing)
        elif isinstance(command, Prepared):
            self._prepared(command)
        elif isinstance(command, (Reported, Signalled, Typed)):
            self._asides.take(command)
        elif isinstance(command, NotClaimed):
            self._stand_still(command.message_id, "not_claimed")
        elif isinstance(command, Wake):
            self._woken(command)
        else:
            super().handle(command)

    def _woken(self, wake: Wake) -> None:
        self._reload_later = False
        if not wake.seen or not all(self._knows(*one) for one in wake.seen):
            self._reload()

    def recover(self) -> None:
        """Start anew from PostgreSQL. A call under way goes on; its row says `sending` until it ends."""
        self._forget()
        self._wake_later(1.0)

    def _wake_later(self, seconds: float) -> None:
        """Read again after a while; one such alarm at a time."""
        if not self._reload_later:
            self._reload_later = True
            self._parts.timers.after(seconds, self.actor_ref, Wake(self._id))

    def _end(self) -> None:
        self._leave(self._id)
        self.stop()

    def _learn(self, mapping: Mapping) -> None:
        """Another shard's intake may know less than we do: what only grows stays."""
        known = self._mapping or mapping
        self._mapping = replace(
            mapping,
            genesys_conversation_id=mapping.genesys_conversation_id or known.genesys_conversation_id,
            window_until=max(filter(None, (mapping.window_until, known.window_until)), default=None),
            last_inbound_id=mapping.last_inbound_id or known.last_inbound_id,
        )

    # What there is to do

    def _knows(self, message_id: str, lane: LaneName) -> bool:
        """What a full lane leaves in PostgreSQL counts as known: it is read when its turn comes."""
        if lane == "report" or lane == "signal":
            return self._asides.reports.knows(message_id)
        return self._lanes[lane].overflowed or self._lanes[lane].works_on(message_id)

    def _reload(self) -> None:
        try:
            found = mailbox.read(self._parts.pool, self._id, LANE_LIMIT)
        except StoreError as error:
            log.warning("conversation_waits_for_postgresql", conversation_id=self._id, error=str(error))
            self._wake_later(2.0)
            return
        self._read = True
        if found.mapping is not None:
            self._mapping = found.mapping  # a window that the provider says is closed has become shorter
        for direction, rows in found.lanes.items():
            lane = self._lanes[direction]
            lane.reset([self._known(lane, row) for row in rows[:LANE_LIMIT]], len(rows) > LANE_LIMIT)
        self._asides.reports.load(found.reports)

    def _known(self, lane: Lane, row: Row) -> Entry:
        """The entry that is there already, brought up to date with its row; else a new one."""
        entry = lane.get(row.id)
        if entry is None:
            self._asides.reports.forget(row.id)
            return entry_of(row)
        if entry is not lane.in_flight and entry.prepared:
            fresh = entry_of(row)
            entry.attempts, entry.unknown, entry.not_before = fresh.attempts, fresh.unknown, fresh.not_before
        return entry

    def _add(self, rows: Sequence[Row]) -> None:
        if not self._read:
            return  # older rows may be waiting: these are read together with them
        for row in rows:
            lane = self._lanes[row.direction]
            if not lane.knows(row.id):
                lane.add(entry_of(row))

    def _advance(self) -> None:
        for direction, lane in self._lanes.items():
            self._step(direction, lane)
        self._asides.step()
        if self._idle():
            self._end()
        elif self._alarm_at == NEVER:
            self._wake_at(time.time() + IDLE_SECONDS)

    def _idle(self) -> bool:
        work = self._asides or self._asked.keys() - {"signal"} or not all(lane.empty for lane in self._lanes.values())
        return not work and self.inbox_empty and time.monotonic() - self._busy_at >= IDLE_SECONDS

    def _step(self, direction: Direction, lane: Lane) -> None:
        if lane.wants_more and not self._reload_later:
            self._reload()
        if self._mapping is not None:
            self._preparation.ahead(direction, lane, self._mapping)
        due = lane.due(time.time())
        if due is None:
            return
        if direction == "outbound":
            due = max(due, time.time() + self._pair.wait(time.monotonic()))
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
        tell(self._tenant(), AskTurn(self._mapping.line_id, self.actor_ref, lane))

    def _tenant(self) -> Any:
        assert self._mapping is not None
        return self._parts.tenant(self._mapping.tenant_id)

    def _wake_at(self, at: float) -> None:
        """`at` is Unix seconds."""
        if at < self._alarm_at:
            self._alarm_at = at
            self._parts.timers.after(at - time.time(), self.actor_ref, Tick(at))

    # Files

    def _prepared(self, prepared: Prepared) -> None:
        entry = self._lanes[prepared.direction].get(prepared.message_id)
        if entry is not None:
            self._preparation.done(entry, prepared)

    def _give_up(self, entry: Entry, code: str, text: str) -> None:
        self._set_aside(entry, "failed", code, text)

    def _set_aside(self, entry: Entry, state: str, code: str, text: str) -> None:
        """Finish without a call; the journal writes it, and the agent's side is told."""
        assert self._mapping is not None
        verdict = Verdict(entry.id, self._epoch, entry.attempts, state, time.time(), code, text)
        # Holds the lane until the journal has written it.
        entry.prepared, entry.preparing = False, True
        entry.preparing_at = time.monotonic()
        tell(
            self._parts.journal,
            Outcome(self.actor_ref, self._id, entry.id, self._mapping.line_id, None, verdict=verdict),
        )

    # Turns

    def _turn(self, turn: Turn) -> None:
        self._asked.pop(turn.lane, None)
        if self._mapping is None:
            tell(turn.channel, PassTurn(turn.sender))
            return
        try:
            if turn.lane == "report" or turn.lane == "signal":
                self._asides.turn(turn, self._mapping)
            else:
                self._launch(turn, turn.lane, self._lanes[turn.lane])
        except StoreError:
            tell(turn.channel, PassTurn(turn.sender))  # nothing was handed to it yet
            raise

    def _launch(self, turn: Turn, direction: Direction, lane: Lane) -> None:
        due = lane.due(time.time())
        if due is None or due > time.time() or not lane.waiting[0].prepared:
            tell(turn.channel, PassTurn(turn.sender))
            return
        assert self._mapping is not None
        if lane.waiting[0].unknown and turn.settings.get("unknown_outcome") == "give_up":
            tell(turn.channel, PassTurn(turn.sender))
            self._set_aside(lane.waiting[0], "dead", "outcome_unknown", "nobody could tell whether it was sent")
            return
        if direction == "outbound" and self._too_late(lane.waiting[0]):
            tell(turn.channel, PassTurn(turn.sender))
            text = "more than 24 hours have passed since the customer wrote; only an approved template may be sent"
            self._set_aside(lane.waiting[0], "failed", "window_closed", text)
            return
        if direction == "outbound":
            self._pair.take(time.monotonic())
        self._settings = turn.settings
        entry = lane.launch()
        entry.launched_at = time.monotonic()
        recipient = self._mapping.recipient
        tell(
            turn.sender,
            Send(entry, direction, self.actor_ref, self._id, recipient, self._shard, self._epoch),
        )

    def _too_late(self, entry: Entry) -> bool:
        """The 24-hour window is closed, and PostgreSQL, where others write down what they heard, says so too."""
        if entry.message.type == "template" or not self._closed():
            return False
        fresh = conversations.by_id(self._parts.pool, self._id)
        if fresh is not None:
            self._mapping = fresh
        return self._closed()

    def _closed(self) -> bool:
        return self._mapping is not None and window.closed(self._mapping.window_until, time.time())

    def _stand_still(self, message_id: str, why: str) -> None:
        """What became of the message only its row can tell: the lane waits until it has been read."""
        log.warning(why, message_id=message_id)
        for lane in self._lanes.values():
            if lane.in_flight is not None and lane.in_flight.id == message_id:
                lane.put_back(lane.in_flight, NEVER)
        self._wake_later(0.5)

    def _settled(self, settled: Settled) -> None:
        if settled.standing is None:
            self._stand_still(settled.message_id, "outcome_not_written")
            return
        told = settled.verdict.state if settled.verdict is not None else "sent"
        if settled.standing.state in UNFINISHED and settled.standing.state != told:
            self._stand_still(settled.message_id, "put_back")  # a status told of its failure before the call's own end
            return
        if settled.genesys_conversation_id and self._mapping is not None:
            self._mapping = replace(self._mapping, genesys_conversation_id=settled.genesys_conversation_id)
        self._stands(settled.standing, settled.verdict)

    def _stands(self, standing: Standing, verdict: Verdict | None = None, *, by_meta: bool = False) -> None:
        """The row's own word decides, whoever changed it."""
        self._asides.reports.add(standing)
        for direction, lane in self._lanes.items():
            entry = lane.get(standing.message_id)
            if entry is None:
                continue
            if standing.state not in UNFINISHED:
                lane.remove(standing.message_id)
                self._finished(direction, lane, entry, standing, by_meta)
            elif verdict is not None:
                entry.attempts, unknown = verdict.attempt, standing.state == "unknown"
                at = verdict.unknown_until if unknown else verdict.next_attempt_at
                lane.put_back(entry, at or time.time(), unknown=unknown)

    def _finished(self, direction: Direction, lane: Lane, entry: Entry, standing: Standing, by_meta: bool) -> None:
        metrics.messages.labels(direction, standing.state).inc()
        written = direction == "inbound" and not entry.message.notice
        if written and standing.state == "sent" and self._settings.get("mark_read"):
            self._asides.signals.read(standing.source_id)
        seconds = float(self._settings.get("handset_order_seconds", 0))
        if direction == "outbound" and standing.state == "sent" and seconds > 0 and not by_meta:
            self._handset, lane.hold_until = standing.message_id, time.time() + min(30.0, seconds)

    def _told(self, standing: Standing) -> None:
        """Meta's own word. Where the line wants it, the next message has waited for this one's `sent`."""
        if standing.message_id == self._handset:
            self._handset = None
            self._lanes["outbound"].hold_until = 0.0
        self._stands(standing, by_meta=True)

    def _look_after_stuck(self) -> None:
        """A call that ended without word to us: give it three deadlines, then ask the database."""
        longest = 3 * self._parts.limits.request + 30.0
        for lane in self._lanes.values():
            entry = lane.in_flight
            if entry is not None and time.monotonic() - entry.launched_at > longest:
                self._stand_still(entry.id, "call_without_word")
