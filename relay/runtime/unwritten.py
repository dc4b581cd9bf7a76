"""Ends of calls that PostgreSQL does not take, even alone, while it takes those of others.

Nothing is wrong with what others tell, so they go on; nor is it proved that something is wrong with these, so they are
kept. Sooner or later the trouble is mended: a broken page, a broken index.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.core.retry import backoff
from relay.runtime.commands import Outcome, ReportOutcome

End = Outcome | ReportOutcome
MOST = 100
"""Rows of a broken page or two. What more of them meet is no trouble of their own."""


@dataclass(slots=True)
class Refused:
    end: End
    failures: int
    again_at: float


class Unwritten:
    """Each is tried again alone, after growing pauses. All times are time.monotonic seconds, passed in."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, int], Refused] = {}

    def __len__(self) -> int:
        return len(self._refused)

    def __contains__(self, end: End) -> bool:
        return _key(end) in self._refused

    def full_for(self, end: End) -> bool:
        return end not in self and len(self) >= MOST

    def ended(self, message_id: str) -> bool:
        """The call of this message has ended, whatever its row says."""
        return message_id in self.ended_ids()

    def ended_ids(self) -> set[str]:
        return {one.end.message_id for one in self._refused.values() if isinstance(one.end, Outcome)}

    def refused(self, end: End, now: float) -> float:
        """Keep it. Returns after how many seconds it is tried again."""
        before = self._refused.get(_key(end))
        failures = before.failures + 1 if before else 1
        pause = backoff(failures)
        self._refused[_key(end)] = Refused(end, failures, now + pause)
        return pause

    def written(self, end: End) -> None:
        self._refused.pop(_key(end), None)

    def due(self, now: float) -> list[End]:
        return [one.end for one in self._refused.values() if one.again_at <= now]


def _key(end: End) -> tuple[str, int]:
    """The message and which of its attempts; 0 for its report."""
    if isinstance(end, ReportOutcome):
        return end.message_id, 0
    verdict, attempt = end.verdict, end.attempt
    return end.message_id, attempt.n if attempt is not None else verdict.attempt + 1 if verdict is not None else 1
