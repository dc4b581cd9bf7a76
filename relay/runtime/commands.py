"""Every command and fact that travels between actors, in the order of a message's path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pykka

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.dispatch import DispatchFacts, DispatchJob
from relay.core.mailbox import Attempt, Claim, Row, Standing, Verdict
from relay.core.messages import ChannelName, Direction, Message, Recipient, Report, Signal

Ref = pykka.ActorRef[Any]
LaneName = Literal["inbound", "outbound", "report", "signal"]
SIDE: dict[LaneName, ChannelName] = {
    "inbound": "genesys",
    "outbound": "whatsapp",
    "report": "genesys",
    "signal": "whatsapp",
}
"""The side that a lane leaves through."""
ASIDES: tuple[LaneName, ...] = ("report", "signal")
"""Beside the messages, and after them."""


# To a shard, and from it to a conversation


@dataclass(frozen=True, slots=True)
class Arrived:
    """Rows of one conversation that have just been committed (or found unfinished)."""

    mapping: ConversationMapping
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Stands:
    """A message's row was changed by a receipt or by the journal."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Typed:
    """An agent is typing, as of `at` (Unix seconds)."""

    conversation_id: str
    shard: int
    at: float


@dataclass(frozen=True, slots=True)
class Wake:
    """The conversation may have work in PostgreSQL that nobody told its actor about.

    `seen`: (message id, lane) of what was found there; an actor that knows them all need not read.
    Empty: read.
    """

    conversation_id: str
    seen: tuple[tuple[str, LaneName], ...] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """An alarm went off; look again at what is due. `at`: which one it was, for those who set it anew."""

    at: float = 0.0


# Conversation, tenant and channel


@dataclass(frozen=True, slots=True)
class AskTurn:
    """A conversation's lane has something to send over a side of its line."""

    line_id: str
    conversation: Ref
    lane: LaneName


@dataclass(frozen=True, slots=True)
class Turn:
    """Pacing and breaker permit one call: hand `sender` what is first now, or tell PassTurn."""

    lane: LaneName
    sender: Ref
    channel: Ref
    settings: Mapping[str, Any]
    """The line's own: rates, `unknown_outcome`, `handset_order_seconds`, `mark_read`, `window_template`, ..."""


@dataclass(frozen=True, slots=True)
class PassTurn:
    """There was nothing to send after all."""

    sender: Ref


@dataclass(frozen=True, slots=True)
class Freed:
    """A sender is done. `error` is what the call ended with; `called` is False if none was made."""

    sender: Ref
    called: bool
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class ReloadTenant:
    """Settings, credentials or lines of the tenant were changed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider refuses a side's credentials (`reason`), or takes them again (None)."""

    line_id: str
    type: ChannelName
    reason: str | None


# Media


@dataclass(frozen=True, slots=True)
class Prepare:
    """Fetch a message's file, keep it, and make it ready for the receiving side."""

    line_id: str
    conversation: Ref
    message_id: str
    direction: Direction
    message: Message


@dataclass(frozen=True, slots=True)
class Prepared:
    """The file is ready; `error` says why not."""

    message_id: str
    direction: Direction
    message: Message
    error: Exception | None = None
    others_worked_at: float = 0.0
    """time.monotonic at which a file of this line last went through this way."""


@dataclass(frozen=True, slots=True)
class PrepareDone:
    """A media actor is free again."""

    line_id: str
    worker: Ref


# Sender and journal


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One attempt to be made now, by the sender that the channel lent."""

    job: DispatchJob
    conversation: Ref


@dataclass(frozen=True, slots=True)
class SendReport:
    """One receipt to tell the agent's side."""

    report: Report
    conversation: Ref
    to: Recipient


@dataclass(frozen=True, slots=True)
class SendSignal:
    """One signal to show on the phone."""

    signal: Signal
    conversation: Ref


@dataclass(frozen=True, slots=True)
class Signalled:
    """The call for a signal is over; `again`: it failed, and may be tried once more."""

    again: bool


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    claim: Claim
    sender: Ref


@dataclass(frozen=True, slots=True)
class Claimed:
    """`started` is time.monotonic from before the claim was written: the call's deadline counts from it."""

    message_id: str
    granted: bool
    started: float


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """Somebody else has the row, or the shard: look at the database again."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message's call ended. Exactly one of `sent` and `verdict`; `attempt` is None without a call."""

    conversation: Ref
    conversation_id: str
    message_id: str
    line_id: str
    attempt: Attempt | None
    sent: Attempt | None = None
    verdict: Verdict | None = None
    genesys_conversation_id: str | None = None
    aliases: Sequence[str] = ()
    facts: DispatchFacts | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The journal has written an outcome; `standing` is what the row says now."""

    message_id: str
    standing: Standing | None
    verdict: Verdict | None
    genesys_conversation_id: str | None = None
    facts: DispatchFacts | None = None
    """What the next attempt has to know; None where the call needs no other."""


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """The agent's side was told (`given_up` None), or never will be."""

    conversation: Ref
    message_id: str
    status: str
    given_up: str | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A report was dealt with, or (`retry_after`, seconds) has to be tried again."""

    message_id: str
    status: str
    retry_after: float | None = None
