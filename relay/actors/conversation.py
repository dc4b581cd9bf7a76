"""ConversationActor: performs what one conversation wants done, and tells it what came of that.

Every decision is in `relay.core.conversation`. It holds nothing that is not in PostgreSQL: after any
failure it forgets everything and reads its rows again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, assert_never

import structlog

from db.contacts import conversations
from db.mailbox import invitations, messages, part_reports
from relay import metrics
from relay.core.conversation import effects as do
from relay.core.conversation import events, window
from relay.core.conversation.conversation import Conversation
from relay.core.conversation.hold import Holds
from relay.core.conversation.place import Place
from relay.core.errors import StoreError
from relay.runtime.actor import Stop, tell
from relay.runtime.commands import AskTurn, Dispatch, Outcome, PassTurn, Prepare, SendReport, ShowPresence, Turn
from relay.runtime.context import Parts
from relay.runtime.pooled import PooledActor

log = structlog.get_logger(__name__)

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
        self._conversation: Conversation | None = Conversation(conversation_id, place)

    def handle(self, command: Any) -> None:
        if isinstance(command, Stop):
            self._end()
        elif isinstance(command, Turn):
            self._take_turn(command)
        else:
            self._happened(command)

    def _take_turn(self, turn: Turn) -> None:
        try:
            self._happened(events.TurnGranted(turn.lane, turn.settings, turn))
        except StoreError:
            tell(turn.channel, PassTurn(turn.sender))  # nothing was handed to it yet
            raise

    def _happened(self, event: events.Event) -> None:
        """Tell the conversation, and do what it wants done; what that answers happened too."""
        happened = deque([event])
        while happened and self._conversation is not None:
            for effect in self._conversation.on(happened.popleft(), time.time(), self._holds):
                answer = self._perform(effect)
                if answer is not None:
                    happened.append(answer)

    def recover(self) -> None:
        """Start anew from PostgreSQL."""
        self._happened(events.MemoryLost())

    def _end(self) -> None:
        self._conversation = None  # alarms that have not gone off yet still refer to the actor
        self._leave(self._id)
        self.stop()

    # Effects

    def _perform(self, effect: do.Effect) -> events.Event | None:
        match effect:
            case do.SetAlarm(at):
                self._parts.timers.after(at - time.time(), self.actor_ref, events.Alarm(at))
            case do.AskForTurn(tenant_id, line_id, lane):
                tell(self._parts.tenant(tenant_id), AskTurn(line_id, self.actor_ref, lane))
            case do.CountFinished(direction, state):
                metrics.messages.labels(direction, state).inc()
            case do.Warn(what, message_id):
                log.warning(what, message_id=message_id)
            case do.ReturnTurn(turn):
                tell(turn.channel, PassTurn(turn.sender))
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
                if not tell(turn.sender, Dispatch(job, self.actor_ref)):
                    return events.NotClaimed(job.message_id)
            case do.TellReport(turn, report, to):
                if not tell(turn.sender, SendReport(report, self.actor_ref, to)):
                    tell(turn.channel, PassTurn(turn.sender))
            case do.StartPresence(turn, signal):
                if not tell(turn.sender, ShowPresence(signal, self.actor_ref)):
                    tell(turn.channel, PassTurn(turn.sender))
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
            found = self._parts.rows.read(self._id)
        except StoreError as error:
            log.debug("conversation_waits_for_postgresql", conversation_id=self._id, error=str(error))
            return events.RowsNotRead()
        return events.RowsRead(found.mapping, found.lanes, found.reports)

    def _send_template(self, effect: do.SendTemplate) -> events.Event:
        """The line's template in place of the message, if it has one and the contact was not invited yet."""
        report, rule = effect.report, window.replacement(effect.settings, effect.contact_name)
        sent = invitations.send(self._parts.pool, self._id, report.message_id, rule, time.time(), effect.closed_at)
        if sent is None:
            return events.TemplateDecided(effect.turn, report, False, report.reason)
        return events.TemplateDecided(effect.turn, report, not sent.template.instead, sent.reason)
