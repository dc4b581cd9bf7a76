"""Catching up with what Genesys gave up to bring: when that is needed, what is asked, and how much. Pure.

Genesys repeats a webhook five times, 5 s apart, and gives up: after 25 s where it is refused at once, after 85 s where
nobody answers [Genesys developer centre: Validate webhook notifications]. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
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
MOST_PAGES = 20
"""Of conversations that began meanwhile, a hundred each, of all of the organisation's."""
MOST_SECONDS = 1_800.0
"""Of one run."""
STALLED_SECONDS = 300.0
"""A run to which Genesys has not answered for so long, since every call is the messages' or is refused, makes room."""
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
    """A conversation to be asked about. `genesys_id` is the provider's id of it, as far as the relay knows.

    The other two are "" where nobody here knows the conversation.
    """

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


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Since when webhooks may have been given up: by line; `everywhere`: of any line, None: of no others."""

    lines: Mapping[str, float] = field(default_factory=dict)
    everywhere: float | None = None

    def with_(self, later: GivenUp) -> GivenUp:
        """Both; what was told first reaches further back."""
        everywhere = self.everywhere if self.everywhere is not None else later.everywhere
        return GivenUp({**later.lines, **self.lines}, everywhere)

    def ago(self, now: float) -> GivenUp:
        """The same in seconds before now."""
        everywhere = None if self.everywhere is None else now - self.everywhere
        return GivenUp({line: now - at for line, at in self.lines.items()}, everywhere)


@dataclass(slots=True)
class _Refused:
    """Refusals that belong together. `followed`: since the last one another line's webhook was taken."""

    first: float
    last: float
    followed: bool = False

    def lasted(self) -> bool:
        return self.last - self.first >= GAP_SECONDS


class Refusals:
    """Webhooks that one web worker could not take, though nothing was wrong with them: were some given up?

    By the line whose address was called: it alone is concerned, when that went on for long, or when this worker took
    nothing any more. Where the address names no line all are concerned, and that takes more: refusals at the
    beginning and at the end of a long time, and nothing taken between.
    """

    __slots__ = ("_given_up", "_refused")

    def __init__(self) -> None:
        self._refused: dict[str | None, _Refused] = {}
        self._given_up: dict[str | None, float] = {}

    def refused(self, now: float, line_id: str | None) -> None:
        """`line_id` None: the address names none."""
        self._settle(now)
        so_far = self._refused.get(line_id)
        self._refused[line_id] = _Refused(so_far.first if so_far else now, now)

    def taken(self, now: float, line_id: str | None) -> None:
        """The next repeat of what was refused shortly before will be taken, too."""
        self._settle(now)
        anybodys = self._refused.pop(None, None)
        if anybodys is not None and anybodys.lasted():
            self._gave_up(None, anybodys.first)
        own = self._refused.pop(line_id, None)
        if own is not None and now - own.first >= GAP_SECONDS:
            self._gave_up(line_id, own.first)
        for one in self._refused.values():
            one.followed = True

    def given_up(self, now: float) -> GivenUp:
        """Told once."""
        self._settle(now)
        found, self._given_up = self._given_up, {}
        return GivenUp({line: at for line, at in found.items() if line is not None}, found.get(None))

    def _settle(self, now: float) -> None:
        """What was refused last so long ago is not repeated any more."""
        for line_id in [line for line, one in self._refused.items() if now - one.last >= GAP_SECONDS]:
            one = self._refused.pop(line_id)
            if one.lasted() or (line_id is not None and not one.followed):
                self._gave_up(line_id, one.first)

    def _gave_up(self, line_id: str | None, since: float) -> None:
        self._given_up[line_id] = min(since, self._given_up.get(line_id, since))
