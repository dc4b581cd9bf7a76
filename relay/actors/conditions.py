"""ConditionsActor: sees what is wrong with lines, when it begins and when it is over; one daemon at a time."""

from __future__ import annotations

import time

from db.conditions import addressees, confirming, standing
from relay.runtime.regular import RegularActor

TIDY_SECONDS = 120.0


class ConditionsActor(RegularActor):
    every_seconds = 5.0
    busy_seconds = 0.1
    _tidy_at = 0.0

    def work(self) -> bool:
        pool = self._parts.pool
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_SECONDS
            addressees.enrol(pool)
            with pool.transaction() as cursor:
                standing.expire(cursor)
                confirming.ask_due(cursor, addressees.ENROLLED_AT_ONCE)
                confirming.expire(cursor)
        return standing.evaluate(pool, self._parts.limits.backlog_minutes)
