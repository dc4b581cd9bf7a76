"""Catching up with what Genesys gave up to bring: when that is needed, what is asked, and how much. Pure.

Genesys repeats a webhook five times, 5 s apart, and gives up: after 25 s where it is refused at once, after 85 s where
nobody answers [Genesys developer centre: Validate webhook notifications]. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

GAP_SECONDS = 20.0
"""Webhooks taken by nobody for so long may have been given up."""
MARGIN_SECONDS = 120.0
"""So much before the absence is looked, too: for what was on its last repeat then, and for clocks that differ."""
FARTHEST_SECONDS = 24 * 3600.0
"""Nothing older is caught up with: WhatsApp takes an answer for a day, and nobody waits for a chat's any longer."""
ACTIVE_SECONDS = 72 * 3600.0
"""A conversation without a word for so long is over: Genesys' own window for a thread."""
MOST_CONVERSATIONS = 2_000
"""Of one line and run, those active last."""
MOST_SECONDS = 1_800.0
"""Of one run."""
MOST_TEXTS = 100
"""Of one call."""
LOOK_AGAIN_SECONDS = 300.0
"""Genesys' own records may lag behind: after an absence it is looked once more."""
MOST_TRIES = 12
"""So often it is begun anew when Genesys cannot be asked, LOOK_AGAIN_SECONDS apart."""
MOST_DENIED = 3
"""So many conversations in a row that the client may not see, and none that it may: it is the permission."""
RESERVE = 0.5
"""This share of the rate's burst is left to messages."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation to be asked about. `genesys_id` is the provider's id of it, as far as the relay knows."""

    conversation_id: str
    address: str
    genesys_id: str


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How catching up with a line stands. `due_at` None: nothing is wanted. `outcome` and `why` are the last one's."""

    line_id: str
    since: datetime
    reason: str
    due_at: datetime | None
    at_work: bool
    begun_at: datetime | None
    ended_at: datetime | None
    conversations: int
    asked: int
    found: int
    outcome: str | None
    why: str | None


def wait_for_permit(left: float | None, per_second: float, burst: float) -> float:
    """Seconds until a call may be made that no message needs; 0: now. `left` of the shared rate, None: nobody knows.

    Only what is above the reserve is used. A rate that nobody can look up is used as slowly as one in a second.
    """
    if left is None:
        return 1.0
    short = burst * RESERVE + 1.0 - left
    return max(0.0, short / per_second)


def candidates(listed: Iterable[tuple[str, float]], since: float) -> list[str]:
    """Of (message id, time) those that may have been missed, in the order of their times."""
    return [message_id for message_id, at in sorted(listed, key=lambda one: one[1]) if at >= since]


def missing(wanted: Iterable[str], known: Collection[str]) -> list[str]:
    """Those that the relay has no row of."""
    return [one for one in wanted if one not in known]


class Refusals:
    """Webhooks that one web worker could not take: has that gone on for so long that some were given up?

    One that is taken says that the next repeat of the others will be. Where nothing comes any more, they were given up.
    """

    __slots__ = ("_first", "_last", "_since")

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0
        self._since: float | None = None

    def refused(self, now: float) -> None:
        self._first = now if self._first is None else self._first
        self._last = now

    def taken(self, now: float) -> None:
        if self._first is not None and now - self._first >= GAP_SECONDS:
            self._since = self._first if self._since is None else self._since
        self._first = None

    def since(self, now: float) -> float | None:
        """When those began that may have been given up; None: there are none. Told once."""
        if self._first is not None and now - self._last >= GAP_SECONDS:
            self.taken(now)
        since, self._since = self._since, None
        return since
