"""The time of day by which messages are ordered, held and repeated: a clock that nobody sets while a process runs.

A machine's clock is set now and then, by seconds or by an hour: forwards, and backwards. A message that arrives just
then would be put before its elders, and one that waits would wait for as long as the clock was set back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

STEP_SECONDS = 0.1
"""What is set by less is followed at once: forwards by a leap, backwards by standing still."""
BELIEVED_SECONDS = 60.0
"""A clock that has stayed set for so long is followed, by a leap in either direction."""
ONE_TICK = 1e-6


def _steady() -> float:
    """Seconds that pass while the machine sleeps, too, where it can tell."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class EvenClock:
    """Two times that it tells are never the same, and the second is the later one, but for a leap that it believes."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = _steady) -> None:
        self._wall, self._steady = wall, steady
        self._ahead = wall() - steady()
        self._doubted: tuple[float, float] | None = None
        """By how much the wall is ahead of the steady clock since it was set, and since when."""
        self._told = 0.0

    def now(self) -> float:
        """Unix seconds."""
        steady = self._steady()
        ahead = self._wall() - steady
        if abs(ahead - self._ahead) < STEP_SECONDS:
            self._ahead, self._doubted = ahead, None
        elif self._doubted is None or abs(ahead - self._doubted[0]) >= STEP_SECONDS:
            self._doubted = ahead, steady
        elif steady - self._doubted[1] >= BELIEVED_SECONDS:
            self._ahead, self._doubted, self._told = ahead, None, 0.0
        self._told = max(self._told + ONE_TICK, steady + self._ahead)
        return self._told


now = EvenClock().now
