"""Every command that travels between actors, in the order of a message's path. All are immutable.

What a conversation is told by those who hold no turn of it is in `relay.core.conversation.events`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pykka

from relay.channels.base import Account
from relay.core.conversation.dispatch import DispatchFacts, DispatchJob
from relay.core.conversation.events import LaneName
from relay.core.errors import RelayError
from relay.core.mailbox import Attempt, Claim, Verdict
from relay.core.messages import ChannelName, Direction, Message, Recipient, Report, Signal
from relay.core.threads import ThreadFact

Ref = pykka.ActorRef[Any]
SIDE: dict[LaneName, ChannelName] = {
    "inbound": "genesys",
    "outbound": "whatsapp",
    "report": "genesys",
    "presence": "whatsapp",
}
"""The side that a lane leaves through."""
BESIDE: tuple[LaneName, ...] = ("report", "presence")
"""Beside the messages, and after them."""


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
class CredentialsRefused:
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
class PrepareNow:
    """To a media actor; `accounts` are the line's as they are when it begins."""

    job: Prepare
    accounts: Mapping[ChannelName, Account] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrepareDone:
    """A media actor is free again. The job's message has its file, or `error` says why not."""

    job: Prepare
    worker: Ref
    error: RelayError | None = None


# Sender and journal


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One attempt to be made now, by the sender that the channel lent."""

    job: DispatchJob
    conversation: Ref
    waited_since: float | None = None
    """Where the message is traced (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class SendReport:
    """One delivery report to tell the agents' side."""

    report: Report
    conversation: Ref
    to: Recipient


@dataclass(frozen=True, slots=True)
class ShowPresence:
    """A read mark or typing to show on the phone."""

    signal: Signal
    conversation: Ref


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
    thread: ThreadFact | None = None
    """Who answers the contact, as the call told it."""


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """The agent's side was told (`given_up` None), or never will be."""

    conversation: Ref
    message_id: str
    status: str
    given_up: str | None = None
