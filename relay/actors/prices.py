"""PricesActor: adds what was charged lately to the counts of its month, and forgets what is too old."""

from __future__ import annotations

import time

from db.mailbox import prices
from db.tenants import rate_cards
from relay.runtime.regular import RegularActor

EXPIRE_SECONDS = 6 * 3600.0


class PricesActor(RegularActor):
    every_seconds = 30.0
    busy_seconds = 1.0
    _expire_at = 0.0

    def work(self) -> bool:
        if time.monotonic() >= self._expire_at:
            with self._parts.pool.transaction() as cursor:
                prices.expire(cursor)
                rate_cards.expire(cursor)
            self._expire_at = time.monotonic() + EXPIRE_SECONDS
        return prices.add(self._parts.pool) == prices.STEP
