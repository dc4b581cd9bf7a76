"""A message as its row says it, and what is written about its calls. Values; `db.mailbox` reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from relay.core.messages import Direction, Message, Origin
from relay.core.ordering import SortKey


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it stands in the mailbox. `state` is one of DESIGN's; times are Unix seconds."""

    id: str
    tenant_id: str
    line_id: str
    conversation_id: str
    shard: int
    direction: Direction
    key: SortKey
    message: Message = field(repr=False)
    state: str = "received"
    attempts: int = 0
    claimed: bool = False
    """Was claimed since it last became `received`: nothing is put before it."""
    next_attempt_at: float | None = None
    unknown_until: float | None = None


@dataclass(frozen=True, slots=True)
class NewRow:
    """What intake wants written. `payload` is the provider's item, unchanged."""

    row: Row
    payload: dict[str, Any]
    reason: str | None = None
    reason_code: str | None = None
    report: str | None = None
    """What the agent's side has to be told although nothing is sent."""
    origin: Origin = "webhook"


@dataclass(frozen=True, slots=True)
class Claim:
    """`attempt` is the number this call will have; the row must stand at the one before."""

    message_id: str
    shard: int
    epoch: int
    attempt: int
    again: bool = False
    """The same request was written before, and the answer was lost."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one provider call ended, for the history."""

    message_id: str
    line_id: str
    n: int
    outcome: str
    at: float
    provider_id: str | None = None
    http_status: int | None = None
    code: str | None = None
    detail: str | None = None
    trace_id: str | None = None
    answer: str | None = None
    """The provider's whole answer, where it refused."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a message gets after a call that was not accepted, or before any call.

    `state` is received (try again), unknown, failed or dead. Accepted only from the epoch that made
    the attempt, or a later one.
    """

    message_id: str
    epoch: int
    attempt: int
    state: str
    at: float
    code: str | None = None
    reason: str | None = None
    next_attempt_at: float | None = None
    unknown_until: float | None = None


@dataclass(frozen=True, slots=True)
class RowStatus:
    """What the row says after everything was written: the truth a conversation goes by."""

    message_id: str
    conversation_id: str
    shard: int
    state: str
    report: str | None
    """What the agent's side is still to be told, or None."""
    source_id: str
    at: float
    code: str | None
    reason: str | None
    part: int = 1
    parts: int = 1
    """Of how many rows the source message consists, and which of them this is."""
