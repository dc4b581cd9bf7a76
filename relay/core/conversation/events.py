"""What a conversation is told, in the order of a message's path. Immutable; times are Unix seconds.

`turn` is whatever the one who granted it wants back: a conversation only passes it on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.dispatch import DispatchFacts
from relay.core.languages import Say
from relay.core.mailbox import Row, RowStatus, Verdict
from relay.core.messages import Direction, Message, Report
from relay.core.threads import ThreadFact

LaneName = Literal["inbound", "outbound", "report", "presence"]
"""What a turn is asked for: the messages of a direction, or what is told beside them."""

# What there is to do


@dataclass(frozen=True, slots=True)
class Arrived:
    """Rows of one conversation that have just been committed (or found unfinished)."""

    mapping: ConversationMapping
    rows: Sequence[Row]
    nothing_else: bool = False
    """Nothing else of the conversation was unfinished when they were committed: there is nothing to read."""


@dataclass(frozen=True, slots=True)
class Wake:
    """The conversation may have work in PostgreSQL that nobody told its actor about.

    `seen`: (message id, lane) of what was found there; who knows them all need not read. Empty: read.
    """

    conversation_id: str
    seen: tuple[tuple[str, LaneName], ...] = ()


@dataclass(frozen=True, slots=True)
class AgentTyped:
    """An agent was typing at `at`."""

    conversation_id: str
    shard: int
    at: float


@dataclass(frozen=True, slots=True)
class RoomWanted:
    """Others wait for room in memory: leave as soon as there is nothing to do."""


@dataclass(frozen=True, slots=True)
class QueueCaughtUp:
    """What waited for all that was in a queue need not any more."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The alarm that was asked for at `at` goes off."""

    at: float


# What PostgreSQL said


@dataclass(frozen=True, slots=True)
class RowsRead:
    """What is unfinished: of each direction one row more than a lane holds if there is more."""

    mapping: ConversationMapping | None
    lanes: Mapping[Direction, Sequence[Row]]
    reports: Sequence[RowStatus]


@dataclass(frozen=True, slots=True)
class RowsNotRead:
    """PostgreSQL is away."""


@dataclass(frozen=True, slots=True)
class MappingRead:
    """The contact's mapping as it stands now, asked for with a turn in hand."""

    turn: Any
    lane: Direction
    settings: Mapping[str, Any] = field(repr=False)
    mapping: ConversationMapping | None


@dataclass(frozen=True, slots=True)
class TemplateDecided:
    """After the 24-hour window: `contains` says that a template goes out with the message's text in it.

    Then nothing failed after all. `reason` is what the agent's side is to be told else.
    """

    turn: Any
    report: Report
    contains: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class PartDecided:
    """Whether the word about a part is the word about the whole, and not told yet."""

    turn: Any
    report: Report
    may_tell: bool


# Turns, and how calls ended


@dataclass(frozen=True, slots=True)
class TurnGranted:
    """Pacing and breaker permit one call. `settings` are the line's own."""

    lane: LaneName
    settings: Mapping[str, Any] = field(repr=False)
    turn: Any


LentTurn = TurnGranted | MappingRead
"""Either way the conversation has a sender for its lane's first message, until it gives the turn back."""


@dataclass(frozen=True, slots=True)
class FilePrepared:
    """A message's file is ready; `error` says why not. `worked_ago`: seconds since a file of this line went through.

    `say`: in the language of the line's tenant.
    """

    message_id: str
    direction: Direction
    message: Message = field(repr=False)
    error: Exception | None = None
    worked_ago: float = float("inf")
    say: Say = field(default=str, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """Somebody else has the row, or the shard, or the sender is gone: only the row can tell."""

    message_id: str


@dataclass(frozen=True, slots=True)
class OutcomeWritten:
    """The journal has written how a dispatch ended; `row_status` is None where nobody could tell."""

    message_id: str
    row_status: RowStatus | None
    verdict: Verdict | None
    genesys_conversation_id: str | None = None
    facts: DispatchFacts | None = None
    """What the next attempt has to know; None where the call needs no other."""
    thread: ThreadFact | None = None
    """What the call said about who answers the contact."""


@dataclass(frozen=True, slots=True)
class RowChanged:
    """A message's row was changed by a receipt, whoever took it in."""

    row_status: RowStatus


@dataclass(frozen=True, slots=True)
class ReportEnded:
    """A delivery report was told and written down, or (`retry_after`, seconds) has to be tried again."""

    message_id: str
    status: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class PresenceEnded:
    """The call for a read mark or for typing is over; `again`: it failed, and may be tried once more."""

    again: bool


@dataclass(frozen=True, slots=True)
class MemoryLost:
    """Whatever was known in memory may be wrong: forget it, and read the rows after so many seconds."""

    seconds: float


Event = (
    Arrived | Wake | AgentTyped | RoomWanted | QueueCaughtUp | Alarm | RowsRead | RowsNotRead | MappingRead
    | TemplateDecided | PartDecided | TurnGranted | FilePrepared | NotClaimed | OutcomeWritten | RowChanged
    | ReportEnded | PresenceEnded | MemoryLost
)  # fmt: skip
