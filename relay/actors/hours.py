"""HoursActor: counts the messages of hours that are over, for the figures of the dashboard."""

from __future__ import annotations

from db.views import hours
from relay.runtime.regular import RegularActor

SLICE = 24
"""So many hours at a time: what a long pause has left is caught up with between other work."""


class HoursActor(RegularActor):
    every_seconds = 60.0
    busy_seconds = 1.0

    def work(self) -> bool:
        return hours.count_due(self._parts.pool, SLICE) == SLICE
