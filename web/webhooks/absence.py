"""Whether webhooks are being taken, moment for moment: Genesys gives up what nobody takes for half a minute.

While this worker takes them it moves a mark in PostgreSQL on, once in five seconds for all workers together. A mark
that stood still for long, or webhooks that were refused for long, mean that agents' messages may be missing: then the
daemons ask Genesys for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import structlog
from gevent.event import Event

from db.pool import Pool
from db.tenants import catch_ups
from relay.core.catch_up import Refusals
from relay.core.errors import StoreError

log = structlog.get_logger(__name__)


class Absence:
    """One per worker. `takes` says whether a webhook that came now would be taken."""

    def __init__(self, pool: Pool, takes: Callable[[], bool]) -> None:
        self._pool = pool
        self._takes = takes
        self._refusals = Refusals()
        self._refused_at: float | None = None
        self._stopped = Event()
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Watch from now on, in the background."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        self._stopped.set()
        if self._greenlet is not None:
            self._greenlet.kill()

    def taken(self) -> None:
        """A webhook of Genesys was taken."""
        self._refusals.taken(time.monotonic())

    def refused(self) -> None:
        """One was answered 503."""
        self._refusals.refused(time.monotonic())

    def look(self) -> None:
        """Move the mark on, if webhooks are taken. Raises DatabaseError."""
        now = time.monotonic()
        self._refused_at = self._refused_at or self._refusals.since(now)
        if not self._takes():
            return
        lines = catch_ups.still_taking(self._pool, now - self._refused_at if self._refused_at else None)
        self._refused_at = None
        if lines:
            log.warning("webhooks_may_be_lost", lines=lines, advice="the daemons ask Genesys for what is missing")

    def _run(self) -> None:
        while not self._stopped.wait(catch_ups.BEAT_SECONDS):
            try:
                self.look()
            except StoreError as error:  # the mark stands still, as it must
                log.info("webhooks_mark_waits", error=str(error))
            except Exception:
                log.exception("webhooks_mark_failed")
