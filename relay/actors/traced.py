"""What a message's trace is told by those who carry it in a daemon: queue, conversation, and each call."""

from __future__ import annotations

from collections.abc import Iterable

from relay.core.conversation.dispatch import DispatchJob
from relay.core.conversation.events import Arrived
from relay.observing import tracing
from relay.runtime.commands import Outcome
from relay.runtime.side import Side


def taken_in(arrived: Iterable[Arrived]) -> None:
    """From the webhook's arrival at web until the commit: how long each was in the queue, and gathered here."""
    for row in (row for one in arrived for row in one.rows if row.message.trace is not None):
        tracing.tell(
            "queue", row.message.trace, row.key.arrived_at, message_id=row.id, conversation_id=row.conversation_id,
            tenant_id=row.tenant_id, line_id=row.line_id, direction=row.direction,
        )  # fmt: skip


def wait_ended(job: DispatchJob, side: Side, since: float | None) -> None:
    """From then until its turn: behind others of its conversation, for the line's rate, after a failure."""
    if since is not None:
        _tell("conversation", job, side, since)


def call_ended(job: DispatchJob, side: Side, began: float, outcome: Outcome) -> None:
    """Of the call, or of what could not be called at all; never what the provider said."""
    if job.message.trace is None:
        return
    attempt, verdict = outcome.attempt, outcome.verdict
    if attempt is not None:
        how: dict[str, str | int | None] = {"outcome": attempt.outcome, "code": attempt.code}
        how["http_status"] = attempt.http_status
    else:
        how = {"outcome": verdict.state, "code": verdict.code} if verdict is not None else {}
    _tell("send", job, side, began, provider=side.name, **how)


def _tell(name: str, job: DispatchJob, side: Side, began: float, **more: str | int | None) -> None:
    tracing.tell(
        name, job.message.trace, began, message_id=job.message_id, conversation_id=job.conversation_id,
        tenant_id=side.account.tenant_id, line_id=side.account.line_id, direction=job.direction,
        attempt=job.attempt, **more,
    )  # fmt: skip
