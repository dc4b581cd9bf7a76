"""What a conversation tells beside its messages: reports to the agents' side, signals to the phone.

Before the agents' side is told that a message came too late for the 24-hour window, the line may
have a template sent in its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from db.mailbox import whole
from relay.conversation import invitation
from relay.conversation.reports import Reports
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.signals import Signals
from relay.core.messages import Report
from relay.runtime.actor import tell
from relay.runtime.commands import LaneName, PassTurn, Ref, Reported, SendReport, SendSignal, Signalled, Turn, Typed
from relay.runtime.context import Parts


class Asides:
    """`ask(lane)` asks for a turn, `wake_at(unix seconds)` for an alarm, `reload()` for a look at the rows."""

    def __init__(
        self,
        parts: Parts,
        conversation: Ref,
        ask: Callable[[LaneName], None],
        wake_at: Callable[[float], None],
        reload: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._conversation = conversation
        self._ask = ask
        self._wake_at = wake_at
        self._reload = reload
        self.reports = Reports()
        self.signals = Signals()

    def __bool__(self) -> bool:
        return bool(self.reports) or bool(self.signals)

    def take(self, command: Reported | Signalled | Typed) -> None:
        """Word of a report or signal, or an agent who types."""
        if isinstance(command, Typed):
            self.signals.typing(command.at)
        elif isinstance(command, Signalled):
            self.signals.told(again=command.again, now=time.time())
        elif command.retry_after is None:
            self.reports.told(command.message_id, command.status)
        else:
            self.reports.again(command.message_id, command.retry_after)

    def step(self) -> None:
        """Ask for the turns that are due, see to the alarms of the others."""
        self._due("report", self.reports.due())
        self._due("signal", self.signals.due(time.time()))

    def _due(self, lane: LaneName, due: float | None) -> None:
        if due is None:
            return
        if due > time.time():
            self._wake_at(due)
        else:
            self._ask(lane)

    def turn(self, turn: Turn, mapping: ConversationMapping) -> None:
        handed = self._report(turn, mapping) if turn.lane == "report" else self._signal(turn, mapping)
        if not handed:
            tell(turn.channel, PassTurn(turn.sender))

    def _report(self, turn: Turn, mapping: ConversationMapping) -> bool:
        report = self.reports.launch()
        if report is None:
            return False
        report = replace(report, cause=self._parts.channels["whatsapp"].cause(report.code))
        if report.status == "failed" and report.cause == "window_closed":
            invited = invitation.invite(self._parts.pool, mapping, report, turn.settings)
            self._reload()  # the row may be back in its lane, and the window may have been closed
            if invited.contains:
                self.reports.withdraw(report.message_id)
                return False
            report = replace(report, reason=invited.reason)
        # After the template was seen to: it takes the place of the first part, whichever failed first.
        if report.parts > 1 and not whole.may_tell(self._parts.pool, report):
            self.reports.withdraw(report.message_id)
            return False
        return tell(turn.sender, SendReport(_placed(report), self._conversation, mapping.recipient))

    def _signal(self, turn: Turn, mapping: ConversationMapping) -> bool:
        show = bool(turn.settings.get("show_typing", True))
        signal = self.signals.launch(time.time(), mapping.last_inbound_id, show_typing=show)
        return signal is not None and tell(turn.sender, SendSignal(signal, self._conversation))


def _placed(report: Report) -> Report:
    """The agent wrote one message, and should know how much of it did not arrive."""
    if report.parts == 1 or report.reason is None:
        return report
    return replace(report, reason=f"part {report.part} of {report.parts}: {report.reason}")
