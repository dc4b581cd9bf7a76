"""What a conversation hands to a sender for one attempt, and the facts that come back. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from relay.core.messages import Direction, Message, Recipient


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
    take: bool = False
    """The next call takes it first, whatever was heard since: the provider said that another one has it."""
