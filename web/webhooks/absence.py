"""Whether webhooks are being taken, moment for moment: Genesys gives up what nobody takes for half a minute.

While this worker takes them it moves a mark in PostgreSQL on, once in five seconds for all workers together. A mark
that stood still for long means that agents' messages may be missing on any line, webhooks that were refused for long
that they are on the lines whose addresses were called: then the daemons ask Genesys for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import structlog
from gevent.event import Event

from db.pool import Pool
from db.tenants import catch_ups
from relay.core.catch_up import GAP_SECONDS, GivenUp, Refusals
from relay.core.errors import StoreError
from relay.stores import keys
from relay.stores.series import Happened, SharedSeries

log = structlog.get_logger(__name__)

FIRST_LOOK_SECONDS = 0.1
MOST_SHARED = 1_000
"""Lines of which the workers tell each other at once."""


class Absence:
    """One per worker. `takes` says whether a webhook that came now would be taken.

    Genesys' repeats come to any of the workers: of a line whose address was called they count what they refused
    together. That costs nothing where nothing is refused.
    """

    def __init__(self, pool: Pool, takes: Callable[[], bool], shared: SharedSeries) -> None:
        self._pool = pool
        self._takes = takes
        self._shared = shared
        self._to_share: dict[str, tuple[float, float]] = {}
        """Lines, and when each was refused first and last since the last look."""
        self._refusals = Refusals()
        self._given_up = GivenUp()
        self._stopped = Event()
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Watch from now on, in the background."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        self._stopped.set()
        if self._greenlet is not None:
            self._greenlet.kill()

    def taken(self, line_id: str | None) -> None:
        """A webhook of Genesys was taken. `line_id` as the address names it; None: it names no line."""
        self._refusals.taken(time.monotonic(), line_id)

    def refused(self, line_id: str | None) -> None:
        """One was answered 503, since a store of ours did not answer."""
        now = time.monotonic()
        self._refusals.refused(now, line_id)
        if line_id is not None and (line_id in self._to_share or len(self._to_share) < MOST_SHARED):
            first, _ = self._to_share.get(line_id, (now, now))
            self._to_share[line_id] = (first, now)

    def look(self) -> None:
        """Move the mark on, if webhooks are taken. Raises DatabaseError; what was given up is told the next time."""
        now = time.monotonic()
        self._given_up = self._given_up.with_(self._refusals.given_up(now)).with_(self._given_up_together(now))
        if not self._takes():
            return
        lines = catch_ups.still_taking(self._pool, self._given_up.ago(now))
        self._given_up = GivenUp()
        if lines:
            log.warning("webhooks_may_be_lost", lines=lines, advice="the daemons ask Genesys for what is missing")

    def _given_up_together(self, now: float) -> GivenUp:
        refused, self._to_share = self._to_share, {}
        told = [Happened(keys.refused(line), now - first, now - last) for line, (first, last) in refused.items()]
        lasted = self._shared.lasted(told, GAP_SECONDS, GAP_SECONDS + catch_ups.BEAT_SECONDS)
        lines = zip(refused.items(), lasted, strict=False)  # of none where Redis is away
        return GivenUp({line: last - seconds for (line, (_, last)), seconds in lines if seconds >= GAP_SECONDS})

    def _run(self) -> None:
        """The first mark is made as soon as the first webhook could be taken: this worker may end at any moment."""
        while not (self._takes() or self._stopped.wait(FIRST_LOOK_SECONDS)):
            pass
        while not self._stopped.is_set():
            try:
                self.look()
            except StoreError as error:  # the mark stands still, as it must
                log.info("webhooks_mark_waits", error=str(error))
            except Exception:
                log.exception("webhooks_mark_failed")
            self._stopped.wait(catch_ups.BEAT_SECONDS)
