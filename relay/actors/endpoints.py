"""EndpointsActor: tells tenants' own systems what happened, beside the messages' path.

Each endpoint has a few senders of its own and, once it only fails, none for a while: a slow one slows nobody else.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from gevent.pool import Group
from gevent.pool import Pool as Greenlets

from db.endpoints import outbox
from db.endpoints.outbox import PostAttempt, TakenEndpoint, WaitingEvent
from relay import metrics
from relay.channels.webhooks.client import Receiver
from relay.core.endpoints.event import body
from relay.core.endpoints.posting import OFF, TROUBLES, pause, rest
from relay.core.errors import SendError, StoreError
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Endpoints that one daemon works on."""
SENDERS = 8
"""Posts under way at once to one endpoint, each of another lane."""
WORK_SECONDS = 15.0
"""After that no post of a run begins, so that each endpoint's turn ends."""
TAKEN_SECONDS = 60.0
"""So long an endpoint is this daemon's: its run, and the last post in it, end well before."""
LANES = 100
EACH = 20
"""Of a page: so many lanes, and the beginnings of those."""
CONNECTIONS = 2
"""To PostgreSQL, of the daemon's ten: the messages keep the others."""
WALK_SECONDS = 5.0
"""Between two walks through more than a page of lanes that all wait."""
CLEAR_SECONDS = 60.0
STOP_SECONDS = 8.0


class EndpointsActor(RegularActor):
    every_seconds = 0.5
    busy_seconds = 0.1

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._runs = Group()
        self._database = BoundedSemaphore(CONNECTIONS)
        self._ends = Event()
        self._clear_at = 0.0

    def work(self) -> bool:
        """It does not wait for the endpoints: each is worked on in a greenlet of its own."""
        now = time.monotonic()
        more = now >= self._clear_at and self._clear(now)
        free = AT_ONCE - len(self._runs)
        if free > 0:
            for endpoint in outbox.take(self._parts.pool, self._parts.cipher, TAKEN_SECONDS, free):
                run = EndpointRun(self._parts, endpoint, now + WORK_SECONDS, self._database, self._ends)
                self._runs.spawn(run.guarded)
        return more

    def on_stop(self) -> None:
        """No post begins any more. One that takes longer is made again: its receiver knows it by its id."""
        self._ends.set()
        self._runs.join(timeout=STOP_SECONDS)

    def _clear(self, now: float) -> bool:
        with self._parts.pool.transaction() as cursor:
            more = max(outbox.give_up_old(cursor), outbox.drop_old(cursor)) >= outbox.AT_ONCE
        self._clear_at = now if more else now + CLEAR_SECONDS
        return more


class EndpointRun:
    """One endpoint's turn: its lanes, a page after the other, as long as it takes what it is told."""

    def __init__(
        self, parts: Parts, endpoint: TakenEndpoint, until: float, database: BoundedSemaphore, ends: Event
    ) -> None:
        self._parts = parts
        self._endpoint = endpoint
        self._receiver = Receiver(endpoint.url, endpoint.secrets, endpoint.tenant_id)
        self._until = until
        self._database = database
        self._ends = ends
        self._failures = 0
        """Posts in a row that were not taken."""
        self._trouble: str | None = None
        self._rest = 0.0
        self._gone = False
        self._works = False
        """It has taken something in this run."""

    def guarded(self) -> None:
        """A fault with one is that one's: it is taken again when its time is over."""
        try:
            self._work()
        except StoreError as error:
            log.debug("endpoint_waits_for_postgresql", endpoint_id=self._endpoint.id, error=str(error))
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("endpoint_not_told", endpoint_id=self._endpoint.id)

    def _work(self) -> None:
        after = outbox.FIRST_LANE
        lanes = Greenlets(SENDERS)
        pages = 0
        while self._goes_on:
            pages += 1
            with self._database:
                found, further = outbox.page(self._parts.pool, self._endpoint, after, LANES, EACH)
            if self._probes and found:
                self._lane(found.pop(0)[:1])
            for lane in found if self._goes_on else ():
                lanes.spawn(self._lane, lane)
            lanes.join(raise_error=True)  # what could not be noted would be posted again at once
            if further is None and not found:
                break
            after = further or outbox.FIRST_LANE
        with self._database:
            if self._works or self._trouble:
                troubles = 0 if not self._rest else 1 if self._works else self._endpoint.troubles + 1
                off = OFF if self._gone else None
                outbox.give_back(self._parts.pool, self._endpoint, self._rest, troubles, self._trouble, off)
            else:
                outbox.put_back(self._parts.pool, self._endpoint, WALK_SECONDS if pages > 1 else 0.0)

    @property
    def _probes(self) -> bool:
        """It only failed the last time: one event finds out whether it still does."""
        return self._endpoint.troubles > 0 and not self._works

    @property
    def _goes_on(self) -> bool:
        return not (self._rest or self._gone or self._ends.is_set()) and time.monotonic() < self._until

    def _lane(self, events: list[WaitingEvent]) -> None:
        """In order, up to the first that is not taken."""
        made: list[PostAttempt] = []
        for one in events:
            if not self._goes_on:
                break
            made.append(self._post(one))
            if made[-1].code is not None:
                break
        with self._database:
            outbox.record(self._parts.pool, made)

    def _post(self, one: WaitingEvent) -> PostAttempt:
        at, began = datetime.now(UTC), time.monotonic()
        event_id, tenant_id, n = one.event.id, one.event.tenant_id, one.attempts + 1
        try:
            status = self._parts.webhooks.post(self._receiver, f"evt_{event_id}", body(one.event))
        except SendError as error:
            self._failed(error)
            metrics.endpoint_posts.labels(error.fate).inc()
            return PostAttempt(
                event_id, tenant_id, n, at, time.monotonic() - began,
                error.status, error.code, error.text, error.answer, pause(error, n),
            )  # fmt: skip
        self._failures, self._trouble, self._works = 0, None, True
        metrics.endpoint_posts.labels("sent").inc()
        return PostAttempt(event_id, tenant_id, n, at, time.monotonic() - began, status)

    def _failed(self, error: SendError) -> None:
        self._failures += 1
        self._trouble = error.text if error.status else f"{error.code}: {error.text}"  # with a status it says the same
        if error.status == 410:
            self._gone = True
        elif error.fate == "throttled":
            self._rest = max(1.0, min(error.retry_after or 1.0, 300.0))
        elif self._failures >= TROUBLES or self._probes:
            self._rest = rest(self._endpoint.troubles)
