"""The calls of a sender that need no claim: delivery reports to the agents' side, presence to the phone.

Telling either of them twice does no harm.
"""

from __future__ import annotations

import time

import structlog

from relay.channels.base import Request
from relay.core.conversation.events import PresenceEnded, ReportEnded
from relay.core.errors import FINAL, CannotCarry, SendError
from relay.core.retry import LONGEST_WAIT
from relay.runtime.actor import tell
from relay.runtime.calls import counted
from relay.runtime.commands import ReportOutcome, SendReport, ShowPresence
from relay.runtime.context import Parts
from relay.runtime.side import Side

log = structlog.get_logger(__name__)


class UnclaimedCalls:
    """One at a time, for one sender."""

    def __init__(self, parts: Parts, side: Side) -> None:
        self._parts = parts
        self._side = side
        self._under_way: SendReport | ShowPresence | None = None

    def call(self, command: SendReport | ShowPresence) -> Exception | None:
        """Make the call and pass on how it ended. Answers with what it failed with, for the line's breaker."""
        self._under_way = command
        error = self._report(command) if isinstance(command, SendReport) else self._signal(command)
        self._under_way = None
        return error

    def give_up(self) -> None:
        """Something unforeseen: a report is tried again after a while, a signal is not."""
        command, self._under_way = self._under_way, None
        if isinstance(command, SendReport):
            tell(command.conversation, ReportEnded(command.report.message_id, command.report.status, LONGEST_WAIT))
        elif command is not None:
            tell(command.conversation, PresenceEnded(again=False))

    def _report(self, command: SendReport) -> Exception | None:
        report, side = command.report, self._side
        try:
            self._send(side.channel.render_report(report, command.to, side.account), "report")
        except (SendError, CannotCarry) as error:
            self._report_failed(command, error)
            return error
        tell(self._parts.journal, ReportOutcome(command.conversation, report.message_id, report.status))
        return None

    def _report_failed(self, command: SendReport, error: SendError | CannotCarry) -> None:
        report = command.report
        if isinstance(error, CannotCarry) or error.fate in FINAL:
            outcome = ReportOutcome(command.conversation, report.message_id, report.status, str(error))
            tell(self._parts.journal, outcome)
        else:
            tell(command.conversation, ReportEnded(report.message_id, report.status, error.retry_after or 1.0))

    def _signal(self, command: ShowPresence) -> Exception | None:
        side = self._side
        try:
            self._send(side.channel.render_signal(command.signal, side.account), "signal")
        except (SendError, CannotCarry) as error:
            # Showing it twice does no harm, so an outcome that nobody knows is no reason to stop.
            again = isinstance(error, SendError) and error.fate not in FINAL
            log.info("signal_not_shown", kind=command.signal.kind, line_id=side.account.line_id, error=str(error))
            tell(command.conversation, PresenceEnded(again))
            return error
        tell(command.conversation, PresenceEnded(again=False))
        return None

    def _send(self, request: Request, call: str) -> None:
        deadline = time.monotonic() + self._parts.limits.request
        with counted(self._side, call):
            self._side.channel.send(request, self._side.account, deadline, before_send=self._parts.lease.check)
