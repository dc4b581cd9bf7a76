"""What a conversation hands to a sender for one attempt, and the facts that come back. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from relay.core.contacts.mapping import ConversationMapping
from relay.core.errors import SendError
from relay.core.explain.causes import Cause
from relay.core.messages import Direction, Message, Recipient
from relay.core.threads import THREAD_CONTROL, ThreadFact, after_control

if TYPE_CHECKING:
    from relay.core.conversation.events import LentTurn
    from relay.core.conversation.lane import Pending
    from relay.core.conversation.place import Place


@dataclass(frozen=True, slots=True)
class DispatchJob:
    """One attempt to be made. `arrived_at` is Unix seconds, of the message's arrival at web."""

    message_id: str
    conversation_id: str
    direction: Direction
    message: Message = field(repr=False)
    to: Recipient = field(repr=False)
    attempt: int
    """The number that this call will have, from 1."""
    arrived_at: float
    shard: int
    epoch: int
    failures: int = 0
    """Attempts so far that were this message's own fault."""
    first_failure: float | None = None
    """time.monotonic of the first of them, to tell a poisoned message from a broken line."""
    may_be_in: str | None = None
    """The provider's conversation that may hold the message already: an earlier call's answer was lost."""
    take: bool = False
    """Somebody else answers the contact, and the line takes the thread before it writes."""
    took: bool = False
    """That was done for this message before: once is all."""


@dataclass(frozen=True, slots=True)
class DispatchFacts:
    """What an attempt changed, for the next one. In memory only: a restart is lenient."""

    failures: int
    first_failure: float | None
    message: Message | None = field(default=None, repr=False)
    """What goes out instead from now on; it is in the row already. None: as before."""
    took: bool = False
    """The thread was taken for it, or nobody knows whether it was."""


def dispatch_job(
    one: Pending, direction: Direction, mapping: ConversationMapping, place: Place, turn: LentTurn, now: float
) -> DispatchJob:
    """The attempt that `turn` permits."""
    outbound, thread = direction == "outbound", mapping.thread_now(now)
    return DispatchJob(
        one.id, mapping.conversation_id, direction, one.message,
        replace(mapping.recipient, thread=thread if mapping.thread else None),
        one.attempts + 1, one.key.arrived_at, place.shard, place.epoch, one.failures, one.first_failure,
        mapping.genesys_conversation_id if one.doubted and not outbound else None,
        outbound and not one.took and thread.state == "elsewhere" and may_take(turn.settings, one.message), one.took,
    )  # fmt: skip


def learnt_by_sending(job: DispatchJob, now: float) -> ThreadFact | None:
    """What it says about who answers the contact that a call went through; None where it says nothing new.

    Templates are taken from everybody.
    """
    if job.message.control is not None:
        return after_control(job.message.control, now)
    known = job.to.thread
    news = job.direction == "outbound" and known is not None and known.state != "owned"
    return ThreadFact("owned", now) if news and job.message.type != "template" else None


def learnt_by_failing(job: DispatchJob, error: SendError, cause: Cause, now: float) -> ThreadFact | None:
    """The same of a call that did not."""
    if job.message.control is not None:
        return ThreadFact("unknown", now) if error.fate == "unknown" else None
    return ThreadFact("elsewhere", now) if job.direction == "outbound" and cause == "elsewhere" else None


def may_take(settings: Mapping[str, Any], message: Message) -> bool:
    """Whether the line takes threads of others before it writes: as the escalation partner, where it is set to.

    Templates are taken from everybody, and leave the thread where it is.
    """
    free = message.type in ("template", THREAD_CONTROL)
    return settings.get("responder_role") == "escalation" and settings.get("take_over") is True and not free
