"""ConversationActor: performs what one conversation wants done, and tells it what came of that.

Every decision is in `relay.core.conversation`. It holds nothing that is not in PostgreSQL: after any
failure it forgets everything and reads its rows again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, assert_never

import structlog
from gevent import GreenletExit
from gevent.timeout import Timeout

from db.contacts import conversations
from db.mailbox import end_requests, given_up, invitations, messages, part_reports
from relay import even_clock, metrics
from relay.core.conversation import effects as do
from relay.core.conversation import events, window
from relay.core.conversation.conversation import Conversation
from relay.core.conversation.dispatch import DispatchJob
from relay.core.conversation.ends import asked_for
from relay.core.conversation.events import Wake
from relay.core.conversation.hold import Holds
from relay.core.conversation.place import Place
from relay.core.conversation.poison import Failures, concern, culprits
from relay.core.errors import StoreError
from relay.observing.tracing import Waits
from relay.runtime.actor import Stop, tell
from relay.runtime.commands import AskTurn, Dispatch, Outcome, PassTurn, Prepare, SendReport, ShowPresence, Turn
from relay.runtime.context import Parts
from relay.runtime.pooled import PooledActor

log = structlog.get_logger(__name__)

REST_SECONDS = 1.0
"""Before the rows are read anew after PostgreSQL was in trouble."""

HandedOver = (
    do.StartDispatch | do.TellReport | do.StartPresence | do.WriteVerdict | do.PrepareFile | do.SaveContent
)  # fmt: skip


class ConversationActor(PooledActor):
    """`holds` is its shard's word on its line's intake; `leave(id)` takes it out of the directory."""

    def __init__(
        self, parts: Parts, conversation_id: str, place: Place, holds: Holds, leave: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._parts = parts
        self._id = conversation_id
        self._holds = holds
        self._leave = leave
        self._place = place
        self._conversation: Conversation | None = Conversation(conversation_id, place)
        self._waits = Waits()
        self._turn: Turn | None = None
        """Lent, and not used up or given back yet."""
        self._at: Any = None
        """The event or effect that is being worked on."""
        self._failures: Failures | None = None
        self._rest = REST_SECONDS
        self._resting_until = 0.0

    def handle(self, command: Any) -> None:
        if isinstance(command, Stop):
            self._end()
        elif isinstance(command, Wake) and time.monotonic() < self._resting_until:
            return  # its rows are read soon, and not before
        elif isinstance(command, Turn):
            self._turn = command
            self._guarded(events.TurnGranted(command.lane, command.settings, command))
        else:
            self._guarded(command)

    def _guarded(self, event: events.Event) -> None:
        try:
            self._happened(event)
        except StoreError:
            self._rest = REST_SECONDS
            raise
        except (Exception, GreenletExit, Timeout) as error:
            self._blame(error)
            raise
        finally:
            self._pass_turn()

    def _pass_turn(self) -> None:
        """What failed before it was handed to a sender must not keep that from others."""
        turn, self._turn = self._turn, None
        if turn is not None:
            tell(turn.channel, PassTurn(turn.sender))

    def _happened(self, event: events.Event) -> None:
        """Tell the conversation, and do what it wants done; what that answers happened too."""
        happened = deque([event])
        while happened and self._conversation is not None:
            self._at = happened.popleft()
            self._waits.heard(self._at)
            for effect in self._conversation.on(self._at, even_clock.now(), self._holds):
                self._at = effect
                answer = self._perform(effect)
                if answer is not None:
                    happened.append(answer)

    def recover(self) -> None:
        """Start anew from PostgreSQL."""
        self._resting_until = time.monotonic() + self._rest
        self._happened(events.MemoryLost(self._rest))

    # What it fails on by itself

    def _blame(self, error: BaseException) -> None:
        """Count it against the rows at fault, and set those aside on which it has failed often enough."""
        self._rest = REST_SECONDS
        try:
            ids = self._at_fault(error, self._at)
            self._failures = self._failures or Failures()
            self._rest = self._failures.failed(ids)
            doomed = self._failures.too_many(ids)
            if doomed:
                self._set_aside(doomed)
        except StoreError as trouble:  # it is looked at again with the next failure
            log.debug("conversation_waits_for_postgresql", conversation_id=self._id, error=str(trouble))

    def _at_fault(self, error: BaseException, at: do.Effect | events.Event) -> list[str]:
        """Ids of messages, or the conversation's own where it cannot even take in its rows."""
        if isinstance(error, messages.UnreadableRowsError):
            return list(error.message_ids)
        if (found := concern(at)) is not None:
            return [found]
        if isinstance(at, do.ReadRows):
            return [self._id]
        if isinstance(at, do.Effect):
            return []
        try:
            read = self._read_rows()
        except messages.UnreadableRowsError as unreadable:
            return list(unreadable.message_ids)
        ids = culprits(partial(Conversation, self._id, self._place), read, at, even_clock.now())
        return [self._id] if ids is None else ids

    def _set_aside(self, ids: list[str]) -> None:
        shard, epoch = self._place.shard, self._place.epoch
        with self._parts.pool.transaction() as cursor:
            dead = given_up.rows(cursor, [one for one in ids if one != self._id], shard, epoch)
            if self._id in ids:
                dead += given_up.conversation(cursor, self._id, shard, epoch)
        for message_id, direction in dead:
            metrics.messages.labels(direction, "dead").inc()
            log.error("message_set_aside", message_id=message_id, conversation_id=self._id)

    def _end(self) -> None:
        self._conversation = None  # alarms that have not gone off yet still refer to the actor
        self._leave(self._id)
        self.stop()

    # Effects

    def _perform(self, effect: do.Effect) -> events.Event | None:
        match effect:
            case do.SetAlarm(at):
                self._parts.timers.after(at - even_clock.now(), self.actor_ref, events.Alarm(at))
            case do.AskForTurn(tenant_id, line_id, lane):
                tell(self._parts.tenant(tenant_id), AskTurn(line_id, self.actor_ref, lane))
            case do.CountFinished(direction, state):
                metrics.messages.labels(direction, state).inc()
            case do.Warn(what, message_id):
                log.warning(what, message_id=message_id)
            case do.ReturnTurn(turn):
                tell(turn.channel, PassTurn(turn.sender))
                self._turn = None
            case do.Leave():
                if self.inbox_empty:
                    self._end()
            case do.ReadRows() | do.ReadMapping() | do.SendTemplate() | do.DecidePart():
                return self._ask_postgresql(effect)
            case _:
                return self._hand_over(effect)
        return None

    def _hand_over(self, effect: HandedOver) -> events.Event | None:
        """To a sender, to the journal, or to whoever prepares files; these answer by themselves."""
        match effect:
            case do.StartDispatch(turn, job):
                return self._dispatch(turn, job)
            case do.TellReport(turn, report, to):
                self._use(turn, SendReport(report, self.actor_ref, to))
            case do.StartPresence(turn, signal):
                self._use(turn, ShowPresence(signal, self.actor_ref))
            case do.WriteVerdict(line_id, verdict):
                outcome = Outcome(self.actor_ref, self._id, verdict.message_id, line_id, None, verdict=verdict)
                tell(self._parts.journal, outcome)
            case do.PrepareFile(tenant_id, line_id, message_id, direction, message):
                tell(self._parts.tenant(tenant_id), Prepare(line_id, self.actor_ref, message_id, direction, message))
            case do.SaveContent(message_id, message, why):
                messages.save_content(self._parts.pool, message_id, message, ("file_missing", why))
            case _:
                assert_never(effect)
        return None

    def _dispatch(self, turn: Turn, job: DispatchJob) -> events.Event | None:
        if job.direction == "inbound" and asked_for(job.message, turn.settings):
            # Before the message goes: whoever takes over after a crash would not look again.
            end_requests.ask(self._parts.pool, job.message_id)
        handed_over = self._use(turn, Dispatch(job, self.actor_ref, self._waits.over(job.message_id)))
        return None if handed_over else events.NotClaimed(job.message_id)

    def _use(self, turn: Turn, command: Dispatch | SendReport | ShowPresence) -> bool:
        """Only what was told to its sender has used the turn up; of one that has gone it goes back."""
        told = tell(turn.sender, command)
        if not told:
            tell(turn.channel, PassTurn(turn.sender))
        self._turn = None
        return told

    def _ask_postgresql(self, effect: do.ReadRows | do.ReadMapping | do.SendTemplate | do.DecidePart) -> events.Event:
        """Raises StoreError, unless it was only about reading the rows: that is tried again later."""
        pool = self._parts.pool
        match effect:
            case do.ReadMapping(turn, lane, settings):
                return events.MappingRead(turn, lane, settings, conversations.by_id(pool, self._id))
            case do.DecidePart(turn, report):
                return events.PartDecided(turn, report, part_reports.may_tell(pool, report))
            case do.SendTemplate():
                return self._send_template(effect)
        try:
            return self._read_rows()
        except StoreError as error:
            log.debug("conversation_waits_for_postgresql", conversation_id=self._id, error=str(error))
            return events.RowsNotRead()

    def _read_rows(self) -> events.RowsRead:
        found = self._parts.rows.read(self._id)
        return events.RowsRead(found.mapping, found.lanes, found.reports)

    def _send_template(self, effect: do.SendTemplate) -> events.Event:
        """The line's template in place of the message, if it has one and the contact was not invited yet."""
        report, rule = effect.report, window.replacement(effect.settings, effect.contact_name)
        sent = invitations.send(self._parts.pool, self._id, report.message_id, rule, even_clock.now(), effect.closed_at)
        if sent is None:
            return events.TemplateDecided(effect.turn, report, False, report.reason)
        return events.TemplateDecided(effect.turn, report, not sent.instead, sent.reason)
