"""One contact on one line: `Conversation.on(event, now, holds)` answers what happened with what is to be done.

No I/O, no clock, no randomness: the actor performs the effects and tells what came of them as events.
Nothing is held here that is not in PostgreSQL; its rows have the last word, and after any failure they
are read anew. Reads from top to bottom: what comes, what goes next, a turn, how it ended, files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation import effects as do
from relay.core.conversation import events
from relay.core.conversation.clock import NEVER, Alarms, passed
from relay.core.conversation.departure import WINDOW_CLOSED, Hindrance, hindrance
from relay.core.conversation.effects import Effect
from relay.core.conversation.ends import follows_end
from relay.core.conversation.events import Event, LaneName
from relay.core.conversation.files import after_trouble, said
from relay.core.conversation.hold import Holds
from relay.core.conversation.lane import Lane, Pending, pending
from relay.core.conversation.launch import dispatch_job
from relay.core.conversation.place import Place
from relay.core.conversation.presence import Presence, to_mark
from relay.core.conversation.reports import DeliveryReports
from relay.core.limits import PairBucket
from relay.core.mailbox import RowStatus, Verdict
from relay.core.messages import Direction
from relay.core.status import CARRIED, UNFINISHED
from relay.core.threads import THREAD_CONTROL

IDLE_SECONDS = 10.0
"""Without work for so long it leaves memory."""
LOOK_AGAIN_SECONDS = 45.0
"""What waits for somebody's word is looked at so often, and a turn asked for and never given asked for again."""
READ_AGAIN_SECONDS = 0.5
NOT_READ_SECONDS = 2.0
LONGEST_HANDSET_WAIT = 30.0

ALL: Final = ("inbound", "outbound", "report", "presence")


class Conversation:
    """`holds`, given with each event, says what is known of a line's intake at that moment."""

    __slots__ = (
        "_alarms", "_asked", "_awaited", "_busy_at", "_id", "_lanes", "_linger", "_mapping", "_pair", "_place",
        "_presence", "_read", "_read_at", "_reports", "_settings", "_stirred",
    )  # fmt: skip

    def __init__(self, conversation_id: str, place: Place) -> None:
        self._id = conversation_id
        self._place = place
        self._mapping: ConversationMapping | None = None
        self._settings: Mapping[str, Any] = {}
        self._alarms = Alarms()
        self._busy_at = 0.0
        self._linger = IDLE_SECONDS
        self._forget(read_at=0.0)

    def _forget(self, read_at: float) -> None:
        self._lanes: dict[Direction, Lane] = {"inbound": Lane(), "outbound": Lane()}
        self._reports = DeliveryReports()
        self._presence = Presence()
        self._pair = PairBucket()
        self._awaited: str | None = None
        """The message whose arrival on the phone the outbound lane waits for."""
        self._asked: dict[LaneName, float] = {}
        self._read = False
        """Older rows may be waiting until they have been read: nothing goes before that."""
        self._read_at = read_at
        self._stirred: tuple[LaneName, ...] = ALL
        """Where something changed since it was last asked what goes next there."""

    def on(self, event: Event, now: float, holds: Holds) -> list[Effect]:
        """What is to be done now that this happened, at `now` (Unix seconds). In this order."""
        if isinstance(event, events.Alarm):
            if not self._alarms.went_off(event.at):
                return []
            if self._idle(now):
                return [do.Leave()]
            effects, self._stirred = self._look_after_stuck(now), ALL
        elif isinstance(event, events.RoomWanted):
            self._linger, effects = 0.0, []
        elif isinstance(event, events.QueueCaughtUp):
            self._stirred, effects = ALL, []
        else:
            if not isinstance(event, (events.RowsRead, events.RowsNotRead)):
                self._busy_at = now
            effects = self._take(event, now, holds)
        if self._read_at <= now:
            self._read_at = NEVER
            return [*effects, do.ReadRows()]
        effects += self._go_on(now, holds)
        return [*effects, do.Leave()] if not self._linger and self._idle(now) else effects

    def _take(self, event: Event, now: float, holds: Holds) -> list[Effect]:
        match event:
            case events.Arrived():
                return self._arrived(event)
            case events.TurnGranted() | events.MappingRead():
                return self._turn(event, now, holds)
            case events.OutcomeWritten():
                return self._outcome(event, now)
            case events.RowChanged(row_status):
                return self._row_changed(row_status, now)
            case events.FilePrepared():
                return self._file_prepared(event, now)
            case events.ReportEnded() | events.PresenceEnded() | events.AgentTyped():
                return self._told(event, now)
            case events.NotClaimed(message_id):
                return self._lost(message_id, "not_claimed", now)
            case events.TemplateDecided() | events.PartDecided():
                return self._decided(event, now)
            case events.Wake() | events.RowsRead() | events.RowsNotRead() | events.MemoryLost():
                return self._rows(event, now)
        raise TypeError(f"a conversation has no use for {type(event).__name__}")

    # What comes

    def _arrived(self, arrived: events.Arrived) -> list[Effect]:
        self._mapping = arrived.mapping.after(self._mapping) if self._mapping else arrived.mapping
        if arrived.nothing_else and not self._read:
            self._read, self._read_at = True, NEVER
        if self._read:  # else older rows may be waiting: these are read together with them
            for row in arrived.rows:
                self._lanes[row.direction].add(pending(row))
                self._stir(row.direction)
        return []

    def _rows(
        self, event: events.Wake | events.RowsRead | events.RowsNotRead | events.MemoryLost, now: float
    ) -> list[Effect]:
        match event:
            case events.Wake(_, seen):
                if not self._read or not seen or not all(self._knows(*one) for one in seen):
                    self._read_at = now
            case events.RowsRead():
                self._load(event)
            case events.RowsNotRead():
                self._read_at = now + NOT_READ_SECONDS
                return self._wake(self._read_at)
            case events.MemoryLost(seconds):
                # A call under way goes on; its row says `sending` until it ends.
                self._forget(read_at=now + seconds)
                return self._wake(self._read_at)
        return []

    def _knows(self, message_id: str, lane: LaneName) -> bool:
        if lane == "report" or lane == "presence":
            return self._reports.knows(message_id)
        return self._lanes[lane].works_on(message_id)

    def _load(self, read: events.RowsRead) -> None:
        self._read = True
        if read.mapping is not None:
            self._mapping = read.mapping  # a window that the provider says is closed has become shorter
        for direction, rows in read.lanes.items():
            for message_id in self._lanes[direction].load(rows):
                self._reports.forget(message_id)
        self._reports.load(read.reports)
        self._stirred = ALL

    # What goes next

    def _stir(self, lane: LaneName) -> None:
        if lane not in self._stirred:
            self._stirred += (lane,)

    def _go_on(self, now: float, holds: Holds) -> list[Effect]:
        """Ask for turns where something may go, have files made ready, and see to the next alarm."""
        stirred, self._stirred = self._stirred, ()
        effects: list[Effect] = []
        if self._read and self._mapping is not None:
            for lane in stirred:
                effects += self._next(lane, self._mapping, now, holds)
        if self._read_at <= now:
            self._read_at = NEVER
            effects.append(do.ReadRows())
        busy = not passed(self._busy_at, IDLE_SECONDS, now)
        at = min(now, self._busy_at) + IDLE_SECONDS if busy else now + LOOK_AGAIN_SECONDS
        return effects + self._wake(min(at, self._read_at))

    def _next(self, lane: LaneName, mapping: ConversationMapping, now: float, holds: Holds) -> list[Effect]:
        if lane == "report":
            if self._reports.wants_more:
                self._read_at = min(self._read_at, now)
            return self._ask_when(lane, self._reports.due(now), mapping, now)
        if lane == "presence":
            return self._ask_when(lane, self._presence.due(now), mapping, now)
        if self._lanes[lane].wants_more and self._read_at == NEVER:
            self._read_at = now
        return self._files_ahead(lane, mapping, now) + self._ask_when(
            lane, self._due(lane, mapping, now, holds), mapping, now
        )

    def _due(self, direction: Direction, mapping: ConversationMapping, now: float, holds: Holds) -> float | None:
        """When the lane's first may go, Meta's pair limit included. None: nothing to do for now."""
        lane = self._lanes[direction]
        due = None if lane.blocked else lane.due(now, holds(mapping.line_id, direction))
        if due is None or direction == "inbound":
            return due
        return max(due, now + self._pair.wait(now))

    def _ask_when(self, lane: LaneName, due: float | None, mapping: ConversationMapping, now: float) -> list[Effect]:
        if due is None:
            return []
        if due > now:
            return self._wake(due)
        if lane in self._asked and not passed(self._asked[lane], LOOK_AGAIN_SECONDS, now):
            return []
        self._asked[lane] = now
        return [do.AskForTurn(mapping.tenant_id, mapping.line_id, lane)]

    def _wake(self, at: float) -> list[Effect]:
        return [do.SetAlarm(at)] if self._alarms.set(at) else []

    def _idle(self, now: float) -> bool:
        asked = any(lane != "presence" for lane in self._asked)
        work = self._reports or self._presence or asked or any(not lane.empty for lane in self._lanes.values())
        return not work and self._read and self._read_at == NEVER and passed(self._busy_at, self._linger, now)

    # Its turn

    def _turn(self, turn: events.LentTurn, now: float, holds: Holds) -> list[Effect]:
        self._asked.pop(turn.lane, None)
        self._stir(turn.lane)
        if isinstance(turn, events.MappingRead):
            self._mapping = turn.mapping or self._mapping
        if self._mapping is None:
            return [do.ReturnTurn(turn.turn)]
        if turn.lane == "report":
            return [self._reports.turn(turn, self._mapping, now, self._place.cause)]
        if turn.lane == "presence":
            show = bool(turn.settings.get("show_typing", True))
            if self._mapping.thread_now(now).state == "elsewhere":
                self._presence.drop()
            signal = self._presence.launch(now, self._mapping.last_inbound_id, show_typing=show)
            return [do.StartPresence(turn.turn, signal)] if signal is not None else [do.ReturnTurn(turn.turn)]
        return self._dispatch(turn.lane, turn, self._mapping, now, holds)

    def _dispatch(
        self, direction: Direction, turn: events.LentTurn, mapping: ConversationMapping, now: float, holds: Holds
    ) -> list[Effect]:
        """Hand the lane's first message to the sender that the turn lends, or finish it without a call."""
        lane = self._lanes[direction]
        first = lane.ready(now, holds(mapping.line_id, direction))
        if first is None:
            return [do.ReturnTurn(turn.turn)]
        why = hindrance(
            direction, first.message, mapping.window_until, turn.settings, now, outcome_unknown=first.unknown,
            heard_at=mapping.heard_at,
        )  # fmt: skip
        if (why is WINDOW_CLOSED or follows_end(first.message)) and isinstance(turn, events.TurnGranted):
            # What counts is in PostgreSQL, where others write down what they heard.
            return [do.ReadMapping(turn.turn, direction, turn.settings)]
        if why is not None:
            return [do.ReturnTurn(turn.turn), *self._give_up(first, mapping, why, now)]
        self._settings = turn.settings
        if direction == "outbound" and first.message.type != THREAD_CONTROL:
            self._pair.take(now)
        return [do.StartDispatch(turn.turn, dispatch_job(lane.launch(now), direction, mapping, self._place, turn, now))]

    def _give_up(self, one: Pending, mapping: ConversationMapping, why: Hindrance, now: float) -> list[Effect]:
        """Finish without a call. It holds its lane until the journal has written that; the agent's side is told."""
        one.ends, one.busy_since = True, now
        verdict = Verdict(one.id, self._place.epoch, one.attempts, why.state, now, why.code, why.text)
        return [do.WriteVerdict(mapping.line_id, verdict)]

    def _decided(self, event: events.TemplateDecided | events.PartDecided, now: float) -> list[Effect]:
        """What PostgreSQL had to be asked about a report before it may be told."""
        self._stir("report")
        if isinstance(event, events.TemplateDecided):
            self._read_at = now  # the row may be back in its lane, and the window may have been closed
        if self._mapping is None:
            return [do.ReturnTurn(event.turn)]
        return [self._reports.decided(event, self._mapping)]

    # How it ended

    def _outcome(self, told: events.OutcomeWritten, now: float) -> list[Effect]:
        """The journal's word; Genesys names its conversation with the first message that it takes."""
        if told.facts is not None:
            for lane in self._lanes.values():
                lane.learn(told.message_id, told.facts)
        if told.row_status is None:
            return self._lost(told.message_id, "outcome_not_written", now)
        state = told.verdict.state if told.verdict is not None else "sent"
        if told.row_status.state in UNFINISHED and told.row_status.state != state:
            return self._lost(told.message_id, "put_back", now)  # a receipt told of its failure before the call's end
        genesys_id, mapping = told.genesys_conversation_id, self._mapping
        if mapping is not None:
            mapping = mapping.told(told.thread)
            self._mapping = replace(mapping, genesys_conversation_id=genesys_id or mapping.genesys_conversation_id)
        return self._stands(told.row_status, now, told.verdict)

    def _row_changed(self, row_status: RowStatus, now: float) -> list[Effect]:
        """A receipt's word. Where the line wants it, the next message has waited for this one's `sent`."""
        if row_status.message_id == self._awaited:
            self._awaited, self._lanes["outbound"].hold_until = None, 0.0
            self._stir("outbound")
        return self._stands(row_status, now, by_receipt=True)

    def _stands(
        self, row_status: RowStatus, now: float, verdict: Verdict | None = None, *, by_receipt: bool = False
    ) -> list[Effect]:
        """Go by the row's own word. `verdict`: what its call ended with, if it has to be tried again."""
        self._reports.add(row_status)
        self._stir("report")
        for direction, lane in self._lanes.items():
            one = lane.get(row_status.message_id)
            if one is None:
                continue
            self._stir(direction)
            if row_status.state not in UNFINISHED:
                lane.remove(one)
                self._finished(direction, one, row_status.state, now, by_receipt=by_receipt)
                return [do.CountFinished(direction, row_status.state)]
            if verdict is not None:
                lane.try_again(one, verdict, now, unknown=row_status.state == "unknown")
        return []

    def _finished(self, direction: Direction, one: Pending, state: str, now: float, *, by_receipt: bool) -> None:
        if state not in CARRIED:
            return
        read = to_mark(one.message) if direction == "inbound" and self._settings.get("mark_read") else None
        if read is not None:
            self._presence.read(read)
            self._stir("presence")
        seconds = float(self._settings.get("handset_order_seconds", 0))
        shown = direction == "outbound" and one.message.type != THREAD_CONTROL
        if shown and state == "sent" and not by_receipt and seconds > 0:
            self._awaited = one.id
            self._lanes[direction].hold_until = now + min(LONGEST_HANDSET_WAIT, seconds)

    def _told(self, event: events.ReportEnded | events.PresenceEnded | events.AgentTyped, now: float) -> list[Effect]:
        """What was told beside messages, or is to be."""
        match event:
            case events.AgentTyped(_, _, at):
                self._presence.typing(at)
            case events.PresenceEnded(again):
                self._presence.ended(again=again, now=now)
            case events.ReportEnded(message_id, status, None):
                self._reports.told(message_id, status)
            case events.ReportEnded(message_id, _, retry_after):
                self._reports.again(message_id, retry_after or 0.0, now)
        self._stir("report" if isinstance(event, events.ReportEnded) else "presence")
        return []

    def _look_after_stuck(self, now: float) -> list[Effect]:
        """Calls that ended without word to us, or whose end nobody could write."""
        stuck = [lane.stuck(self._place.stuck_seconds, now) for lane in self._lanes.values()]
        return [effect for one in stuck if one is not None for effect in self._lost(one.id, "call_without_word", now)]

    def _lost(self, message_id: str, why: str, now: float) -> list[Effect]:
        """What became of the message only its row can tell: its lane waits until that has been read."""
        for lane in self._lanes.values():
            lane.stand_still(message_id)
        self._read_at = min(self._read_at, now + READ_AGAIN_SECONDS)
        return [do.Warn(why, message_id), *self._wake(self._read_at)]

    # Files

    def _files_ahead(self, direction: Direction, mapping: ConversationMapping, now: float) -> list[Effect]:
        """Have the files of the lane's first messages made ready."""
        effects: list[Effect] = []
        for one in self._lanes[direction].without_file(now):
            if one.not_before > now:
                effects += self._wake(one.not_before)
                continue
            one.busy_since = now
            one.preparations += 1
            effects.append(do.PrepareFile(mapping.tenant_id, mapping.line_id, one.id, direction, one.message))
        return effects

    def _file_prepared(self, prepared: events.FilePrepared, now: float) -> list[Effect]:
        lane, mapping = self._lanes[prepared.direction], self._mapping
        self._stir(prepared.direction)
        one = lane.get(prepared.message_id)
        if one is None or one.file_ready or one.ends or mapping is None:
            return []
        one.busy_since = None
        if prepared.error is None:
            one.message, one.file_ready = prepared.message, True
            one.not_before = one.not_before if one.unknown else 0.0
            return []
        what = after_trouble(one, prepared, prepared.error, now)
        one.first_trouble = one.first_trouble or now
        if isinstance(what, Hindrance):
            return self._give_up(one, mapping, what, now)
        if isinstance(what, float):
            one.not_before = what
            return []
        one.message, one.file_ready = what, True
        return [do.SaveContent(one.id, what, ": ".join(said(prepared.error)))]
