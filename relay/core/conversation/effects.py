"""What a conversation wants done. Immutable; its actor performs it, and tells what came of it as an event.

Where an effect has a `turn`, it uses that turn up or has to be answered before the turn goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.core.conversation.dispatch import DispatchJob
from relay.core.conversation.events import LaneName
from relay.core.mailbox import Verdict
from relay.core.messages import Direction, Message, Recipient, Report, Signal


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Answered by RowsRead or RowsNotRead."""


@dataclass(frozen=True, slots=True)
class SetAlarm:
    """Answered by Alarm(at), at that time (Unix seconds) or later."""

    at: float


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing has been left to do for a while: leave memory, unless something is in the inbox."""


@dataclass(frozen=True, slots=True)
class AskForTurn:
    """Answered by TurnGranted, sometime."""

    tenant_id: str
    line_id: str
    lane: LaneName


@dataclass(frozen=True, slots=True)
class ReturnTurn:
    """There was nothing to send after all."""

    turn: Any


@dataclass(frozen=True, slots=True)
class StartDispatch:
    """Answered by OutcomeWritten or NotClaimed."""

    turn: Any
    job: DispatchJob


@dataclass(frozen=True, slots=True)
class WriteVerdict:
    """The message ends without a call. Answered by OutcomeWritten."""

    line_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ReadMapping:
    """Others may have written down that the 24-hour window is open again. Answered by MappingRead."""

    turn: Any
    lane: Direction
    settings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrepareFile:
    """Answered by FilePrepared."""

    tenant_id: str
    line_id: str
    message_id: str
    direction: Direction
    message: Message = field(repr=False)


@dataclass(frozen=True, slots=True)
class SaveContent:
    """The message goes out in another form; `why` is for its history."""

    message_id: str
    message: Message = field(repr=False)
    why: str


@dataclass(frozen=True, slots=True)
class SendTemplate:
    """A template in place of a message that came too late. Answered by TemplateDecided.

    `closed_at`: when the provider said that the window is closed, which nobody here knew.
    """

    turn: Any
    report: Report
    settings: Mapping[str, Any] = field(repr=False)
    contact_name: str | None
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class DecidePart:
    """The report is about a part of what was written. Answered by PartDecided."""

    turn: Any
    report: Report


@dataclass(frozen=True, slots=True)
class TellReport:
    """Answered by ReportEnded."""

    turn: Any
    report: Report
    to: Recipient = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartPresence:
    """Answered by PresenceEnded."""

    turn: Any
    signal: Signal


@dataclass(frozen=True, slots=True)
class CountFinished:
    """For the metrics: a message ended so."""

    direction: Direction
    state: str


@dataclass(frozen=True, slots=True)
class Warn:
    """For the log."""

    event: str
    message_id: str


Effect = (
    ReadRows | SetAlarm | Leave | AskForTurn | ReturnTurn | StartDispatch | WriteVerdict | ReadMapping | PrepareFile
    | SaveContent | SendTemplate | DecidePart | TellReport | StartPresence | CountFinished | Warn
)  # fmt: skip
