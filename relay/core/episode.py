"""Trouble that lasts is one piece of news when it begins and one when it is over, however many calls fail meanwhile."""

from __future__ import annotations

import math

QUIET_SECONDS = 5.0
"""It is over when something worked so long after the last failure: a server that refuses writes goes on answering
reads, and each of those would otherwise look like the end."""


class Episode:
    """Of one store, as one process sees it. All times are time.monotonic seconds, passed in."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._last = -math.inf

    @property
    def lasts(self) -> bool:
        return self._began is not None

    def failed(self, now: float) -> bool:
        """Whether it begins with this failure: then it is to be told."""
        self._last = now
        if self._began is not None:
            return False
        self._began = now
        return True

    def worked(self, now: float) -> float | None:
        """Seconds that it lasted, where it is over with this success: then it is to be told. Else None."""
        if self._began is None or now - self._last < QUIET_SECONDS:
            return None
        lasted, self._began = self._last - self._began, None
        return lasted
