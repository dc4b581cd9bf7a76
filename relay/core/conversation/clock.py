"""Times compared by a clock that may be set forwards or back, and the alarms that were asked for. Pure."""

from __future__ import annotations

NEVER = float("inf")
"""In place of a time: somebody will tell."""

MOST_ALARMS = 4


def passed(since: float, seconds: float, now: float) -> bool:
    """Whether `seconds` have passed since then. A clock that was set back by as much counts too: no wait for ever."""
    return abs(now - since) >= seconds


class Alarms:
    """Those that will go off. They are never called back, so one is set only where it is sooner than all of them."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self._at)

    def set(self, at: float) -> bool:
        """Whether one has to be asked for, to be awake at `at`."""
        if at == NEVER or (self._at and at >= self._at[0]):
            return False
        self._at = (at, *self._at[: MOST_ALARMS - 1])
        return True

    def went_off(self, at: float) -> bool:
        """False: it is one that is not needed any more."""
        if at not in self._at:
            return False
        self._at = tuple(other for other in self._at if other != at)
        return True
