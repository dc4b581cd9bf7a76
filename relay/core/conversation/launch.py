"""The attempt that a turn permits, and what its end says about who answers the contact. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.dispatch import DispatchJob
from relay.core.conversation.events import LentTurn
from relay.core.conversation.lane import Pending
from relay.core.conversation.place import Place
from relay.core.conversation.window import opened_by
from relay.core.errors import SendError
from relay.core.explain.causes import Cause
from relay.core.messages import Direction, Message
from relay.core.threads import THREAD_CONTROL, ThreadFact, after_control


def dispatch_job(
    one: Pending, direction: Direction, mapping: ConversationMapping, place: Place, turn: LentTurn, now: float
) -> DispatchJob:
    """The attempt that `turn` permits."""
    outbound, thread = direction == "outbound", mapping.thread_now(now)
    elsewhere = one.take or thread.state == "elsewhere"
    return DispatchJob(
        one.id, mapping.conversation_id, direction, one.message,
        replace(mapping.recipient, thread=thread if mapping.thread else None),
        one.attempts + 1, one.key.arrived_at, place.shard, place.epoch, one.failures, one.first_failure,
        mapping.genesys_conversation_id if one.doubted and not outbound else None,
        outbound and not one.took and elsewhere and may_take(turn.settings, one.message), one.took,
    )  # fmt: skip


def learnt_by_sending(job: DispatchJob, now: float) -> ThreadFact | None:
    """What it says about who answers the contact that a call went through; None where it says nothing new.

    What opens the window itself is taken from everybody.
    """
    if job.message.control is not None:
        return after_control(job.message.control, now)
    known = job.to.thread
    news = job.direction == "outbound" and known is not None and known.state != "owned"
    return ThreadFact("owned", now) if news and not opened_by(job.message) else None


def learnt_by_failing(job: DispatchJob, error: SendError, cause: Cause, now: float) -> ThreadFact | None:
    """The same of a call that did not."""
    if job.message.control is not None:
        return ThreadFact("unknown", now) if error.fate == "unknown" else None
    return ThreadFact("elsewhere", now) if job.direction == "outbound" and cause == "elsewhere" else None


def may_take(settings: Mapping[str, Any], message: Message) -> bool:
    """Whether the line takes threads of others before it writes: as the escalation partner, where it is set to.

    What opens the window itself is taken from everybody, and leaves the thread where it is.
    """
    free = message.type == THREAD_CONTROL or opened_by(message)
    return settings.get("responder_role") == "escalation" and settings.get("take_over") is True and not free
