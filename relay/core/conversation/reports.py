"""The delivery reports that the agents' side is still to be told of a conversation's messages: Delivered, Failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.clock import passed
from relay.core.conversation.effects import DecidePart, Effect, ReturnTurn, SendTemplate, TellReport
from relay.core.conversation.events import MappingRead, PartDecided, TemplateDecided, TurnGranted
from relay.core.explain.causes import Cause, own_cause
from relay.core.mailbox import RowStatus
from relay.core.messages import Report
from relay.core.retry import LONGEST_WAIT

REMEMBERED = 16
"""Messages whose last report is kept in mind; what a row said before it was told comes within moments."""

MOST_DUE = 50
"""Reports kept in memory; more wait in their rows, and are read when these have been told."""

LOST_SECONDS = 90.0
"""A report of which there has been no word for so long is told again: its sender is gone."""


class DeliveryReports:
    """One at a time. A newer word about a message replaces the older one that was not told yet. Unix seconds."""

    __slots__ = ("_due", "_in_flight", "_launched_at", "_not_before", "_told", "overflowed")

    def __init__(self) -> None:
        self._due: dict[str, RowStatus] = {}
        self._told: dict[str, str] = {}
        self._in_flight: str | None = None
        self._launched_at = 0.0
        self._not_before = 0.0
        self.overflowed = False
        """There are more in PostgreSQL than in memory."""

    def __bool__(self) -> bool:
        return bool(self._due) or self.overflowed

    def __len__(self) -> int:
        return len(self._due)

    @property
    def wants_more(self) -> bool:
        return self.overflowed and not self._due

    def knows(self, message_id: str) -> bool:
        return self.overflowed or message_id in self._due

    def forget(self, message_id: str) -> None:
        """The message is being sent anew, after a replay: so is the word about it."""
        self._due.pop(message_id, None)
        self._told.pop(message_id, None)

    def add(self, row_status: RowStatus) -> None:
        """What was read before the last report was written down still asks for it: not again."""
        if row_status.report is None or self._told.get(row_status.message_id) in (row_status.report, "delivered"):
            return
        if len(self._due) >= MOST_DUE and row_status.message_id not in self._due:
            self.overflowed = True
        else:
            self._due[row_status.message_id] = row_status

    def load(self, row_statuses: Iterable[RowStatus]) -> None:
        """From PostgreSQL; what is known already is newer."""
        self.overflowed = False
        for row_status in row_statuses:
            if row_status.message_id not in self._due:
                self.add(row_status)

    def due(self, now: float) -> float | None:
        """When the next one may go (<= now: at once), or None."""
        if not self._due:
            return None
        if self._in_flight is None:
            return self._not_before
        return now if passed(self._launched_at, LOST_SECONDS, now) else self._launched_at + LOST_SECONDS

    def launch(self, now: float) -> Report | None:
        due = self.due(now)
        if due is None or due > now:
            return None
        first = next(iter(self._due.values()))
        self._in_flight, self._launched_at = first.message_id, now
        status: Any = first.report
        return Report(
            first.message_id, first.source_id, status, first.at or now, first.code, first.reason,
            part=first.part, parts=first.parts,
        )  # fmt: skip

    def turn(
        self,
        turn: TurnGranted | MappingRead,
        mapping: ConversationMapping,
        now: float,
        cause: Callable[[str | None], Cause],
    ) -> Effect:
        """Tell the next one, once PostgreSQL has been asked what has to be known of it."""
        report = self.launch(now)
        if report is None:
            return ReturnTurn(turn.turn)
        report = replace(report, cause=cause(report.code))
        if report.status == "failed" and report.cause == "window_closed":
            closed_at = report.time if own_cause(report.code) is None else None
            return SendTemplate(turn.turn, report, turn.settings, mapping.name, closed_at)
        return _tell(turn.turn, report, mapping)

    def decided(self, event: TemplateDecided | PartDecided, mapping: ConversationMapping) -> Effect:
        report = event.report
        if isinstance(event, PartDecided) and event.may_tell:
            return TellReport(event.turn, _placed(report), mapping.recipient)
        if isinstance(event, TemplateDecided) and not event.contains:
            return _tell(event.turn, replace(report, reason=event.reason), mapping)
        self.withdraw(report.message_id)
        return ReturnTurn(event.turn)

    def told(self, message_id: str, status: str) -> None:
        """The journal has written it; it stays if there is a newer word to tell."""
        self._landed(message_id)
        self._told[message_id] = status
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        row_status = self._due.get(message_id)
        if row_status is not None and row_status.report == status:
            del self._due[message_id]

    def withdraw(self, message_id: str) -> None:
        """There is nothing to tell after all: the message goes out in another form, or is but a part of one."""
        self._landed(message_id)
        self.forget(message_id)

    def again(self, message_id: str, seconds: float, now: float) -> None:
        self._landed(message_id)
        self._not_before = now + min(LONGEST_WAIT, seconds)

    def _landed(self, message_id: str) -> None:
        if self._in_flight == message_id:
            self._in_flight = None


def _tell(turn: Any, report: Report, mapping: ConversationMapping) -> Effect:
    # After the template was seen to: it takes the place of the first part, whichever failed first.
    if report.parts > 1:
        return DecidePart(turn, report)
    return TellReport(turn, report, mapping.recipient)


def _placed(report: Report) -> Report:
    """The agent wrote one message, and should know how much of it did not arrive."""
    if report.parts == 1 or report.reason is None:
        return report
    return replace(report, reason=f"part {report.part} of {report.parts}: {report.reason}")
