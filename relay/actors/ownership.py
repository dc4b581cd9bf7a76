"""OwnershipActor: asks again about lines that wait for proof, and ends what still waits on released ones."""

from __future__ import annotations

import time
from typing import Any

import structlog
from gevent.pool import Pool as Greenlets

from db.tenants import ownership
from db.tenants.ownership import AT_ONCE, ENDED_AT_ONCE, Due
from relay import metrics
from relay.checks.owners import Owners
from relay.checks.ownership import Ownership
from relay.core.errors import StoreError
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
BUSY_SECONDS = 1.0
END_SECONDS = 15.0
TAKEN_SECONDS = 120.0
"""So long a line is this daemon's to ask about; both providers and an owner are asked within half of it."""


class OwnershipActor(RelayActor):
    """Every daemon has one; the row's own next time lets one of them at a time ask about a line."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._ownership = Ownership(Owners(parts.changes, parts.cipher, parts.channels, parts.ours))
        self._end_at = 0.0

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def handle(self, command: Any) -> None:
        if not isinstance(command, Tick):
            super().handle(command)
            return
        busy = False
        try:
            busy = self._ask()
            busy = self._end() or busy
        except StoreError as error:
            log.warning("ownership_waits_for_postgresql", error=str(error))
        self._again(BUSY_SECONDS if busy else EVERY_SECONDS)

    def recover(self) -> None:
        self._again(EVERY_SECONDS)

    def _ask(self) -> bool:
        """True: there may be more."""
        due = ownership.take_due(self._parts.pool, TAKEN_SECONDS)
        # Each is bounded by the deadline of its checks.
        Greenlets(AT_ONCE).map(self._ask_one, due)
        return len(due) == AT_ONCE

    def _ask_one(self, due: Due) -> None:
        """A fault with one line is that line's: it is asked about again when its time is over."""
        try:
            self._ownership.ask_again(due)
        except StoreError as error:
            log.warning("ownership_waits_for_postgresql", error=str(error), line_id=due.line_id)
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("ownership_not_asked", line_id=due.line_id)

    def _end(self) -> bool:
        """True: there may be more."""
        if time.monotonic() < self._end_at:
            return False
        more = ownership.end_waiting(self._parts.pool) >= ENDED_AT_ONCE
        self._end_at = time.monotonic() + (BUSY_SECONDS if more else END_SECONDS)
        return more

    def _again(self, seconds: float) -> None:
        self._parts.timers.after(seconds, self.actor_ref, Tick())
