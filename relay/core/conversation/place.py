"""What all conversations of a shard have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relay.core.explain.causes import Cause


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation lives, and what it goes by. `cause` says in words why WhatsApp's code means a failure.

    `stuck_seconds`: without word of a call for so long its sender is gone.
    """

    shard: int
    epoch: int
    stuck_seconds: float
    cause: Callable[[str | None], Cause]
