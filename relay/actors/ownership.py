"""OwnershipActor: asks again about lines that wait for proof, and ends what still waits on released ones."""

from __future__ import annotations

import time

import structlog
from gevent.pool import Pool as Greenlets

from db.tenants import ownership
from db.tenants.ownership import AT_ONCE, ENDED_AT_ONCE, DueLine
from relay import metrics
from relay.checks.owners import Owners
from relay.checks.ownership import Ownership
from relay.core.errors import StoreError
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

log = structlog.get_logger(__name__)

END_SECONDS = 15.0
TAKEN_SECONDS = 120.0
"""So long a line is this daemon's to ask about; both providers and an owner are asked within half of it."""


class OwnershipActor(RegularActor):
    longest_seconds = TAKEN_SECONDS
    every_seconds = 5.0
    busy_seconds = 1.0

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._ownership = Ownership(Owners(parts.changes, parts.cipher, parts.channels, parts.ours))
        self._end_at = 0.0

    def work(self) -> bool:
        more = self._ask()
        return self._end() or more

    def _ask(self) -> bool:
        """True: there may be more."""
        due = ownership.take_due(self._parts.pool, TAKEN_SECONDS)
        # Each is bounded by the deadline of its checks.
        Greenlets(AT_ONCE).map(self._ask_one, due)
        return len(due) == AT_ONCE

    def _ask_one(self, due: DueLine) -> None:
        """A fault with one line is that line's: it is asked about again when its time is over."""
        try:
            self._ownership.ask_again(due)
        except StoreError as error:
            log.debug("ownership_waits_for_postgresql", error=str(error), line_id=due.line_id)
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("ownership_not_asked", line_id=due.line_id)

    def _end(self) -> bool:
        """True: there may be more."""
        if time.monotonic() < self._end_at:
            return False
        more = ownership.end_waiting(self._parts.pool) >= ENDED_AT_ONCE
        self._end_at = time.monotonic() + (self.busy_seconds if more else END_SECONDS)
        return more
