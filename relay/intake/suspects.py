"""Lines whose next delivery failed when it was taken in alone, for a reason that may be its own.

Nothing is wrong with what others bring, so they go on; nor is it proved that something is wrong with this one, so it
is kept, and its line waits behind it in its order. Sooner or later the trouble is mended: a broken index, a missing
right, a full queue of dead letters.
"""

from __future__ import annotations

from db.errors import DatabaseError
from relay.core.errors import StoreError
from relay.core.retry import backoff


def may_be_its_own(error: StoreError) -> bool:
    """Not where all of PostgreSQL is in trouble, whoever's messages it is asked to take."""
    return not isinstance(error, DatabaseError) or error.of_this_work


class Suspects:
    """Each is tried again alone, after growing pauses. All times are time.monotonic seconds, passed in.

    Bounded by the lines of which something waits: one of which nothing does is forgotten when its time comes.
    """

    def __init__(self) -> None:
        self._lines: dict[str, tuple[float, int]] = {}
        """When the line is tried again, and how often it has failed."""

    @property
    def lines(self) -> frozenset[str]:
        return frozenset(self._lines)

    @property
    def next_at(self) -> float | None:
        return min((at for at, _ in self._lines.values()), default=None)

    def failed(self, line: str, now: float) -> None:
        failures = self._lines.get(line, (0.0, 0))[1] + 1
        self._lines[line] = (now + backoff(failures), failures)

    def worked(self, line: str) -> None:
        self._lines.pop(line, None)

    def due(self, now: float) -> str | None:
        """The line to be tried now, if there is one."""
        return min((line for line, (at, _) in self._lines.items() if at <= now), default=None)
