"""The daemon's life: start a list of parts, wait for a signal or a failure, stop the list in reverse."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import gevent
import structlog
from gevent.event import Event
from gevent.pywsgi import WSGIServer

from conf import garbage
from db.daemons import shards
from db.daemons.lease import LeaseSession
from db.daemons.listen import Listener
from db.daemons.versions import WrongVersionError
from db.migrate import ShardCountError
from relay.actors.agents import AgentsActor
from relay.actors.archiver import ArchiverActor
from relay.actors.audit_chainer import AuditChainer
from relay.actors.catch_up import CatchUpActor
from relay.actors.conditions import ConditionsActor
from relay.actors.endpoints import EndpointsActor
from relay.actors.ends import EndsActor
from relay.actors.ends_listeners import EndsListeners
from relay.actors.erasure import ErasureActor
from relay.actors.hours import HoursActor
from relay.actors.line_checks import LineCheckActor
from relay.actors.measures import MeasuresActor
from relay.actors.ownership import OwnershipActor
from relay.actors.prices import PricesActor
from relay.actors.rate_caps import RateCapActor
from relay.actors.replays import ReplayActor
from relay.actors.retention import RetentionActor
from relay.actors.supervisor import DatabaseNotification, Supervisor
from relay.actors.telling import TellingActor
from relay.actors.templates import TemplatesActor
from relay.actors.tenant_deletion import TenantDeletionActor
from relay.core.errors import StoreError
from relay.core.retry import store_backoff
from relay.daemon import health
from relay.daemon.loop_lag import LoopLag
from relay.daemon.watch import ActorWatch, LoopWatch, SoleActor
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import ReloadTenant
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

ONE_EACH: tuple[type[RelayActor], ...] = (
    HoursActor, PricesActor, RateCapActor, AuditChainer, OwnershipActor, ReplayActor, CatchUpActor, TemplatesActor,
    EndsActor, AgentsActor, EndsListeners, EndpointsActor, LineCheckActor, ConditionsActor, TellingActor,
    RetentionActor, ErasureActor, TenantDeletionActor, ArchiverActor, MeasuresActor,
)  # fmt: skip
"""Beside the messages' path, and without the supervisor: what dies of them is started again."""

STOP_SECONDS = 25.0
"""Ten for a call under way, ten for the journal, five to hand the shards back."""
HAND_OVER_SECONDS = 1.0
"""For calls under way to end before the shards are handed over. The new owner hears how longer ones end."""


class PortError(RuntimeError):
    """The daemon's own HTTP port cannot be opened; the text says which, and what to do."""


@dataclass(slots=True)
class Service:
    """One daemon. `run` returns the exit code: 0 after a signal, 1 after a part failed."""

    parts: Parts
    metrics_host: str
    metrics_port: int
    check: Callable[[], None]
    """Raises what is final, or StoreError while the database is not there yet."""
    _ended: Event = field(default_factory=Event)
    _failure: BaseException | None = None
    _undo: list[tuple[str, Callable[[], Any]]] = field(default_factory=list)

    def run(self) -> int:
        try:
            self._start()
            garbage.settle()
            log.info("relay_started", daemon_id=self.parts.lease.daemon_id)
            self._ended.wait()
        except (ShardCountError, WrongVersionError, PortError) as error:  # its text says what to do
            log.error("relay_could_not_start", error=str(error))
            self._failure = error
        except Exception as error:
            log.exception("relay_could_not_start")
            self._failure = error
        self._stop()
        return 1 if self._failure is not None else 0

    def end(self) -> None:
        """What a signal handler calls: only asks, `run` does."""
        self._ended.set()

    def fail(self, error: BaseException) -> None:
        """A part ended that must not: stop everything, the platform starts it anew."""
        if self._failure is None:
            log.error("relay_cannot_go_on", reason=str(error) or type(error).__name__)
            self._failure = error
        self._ended.set()

    def _start(self) -> None:
        port = health.server(self.parts, self.metrics_host, self.metrics_port)
        self._begin("health", lambda: self._listen(port), port.stop)
        loop = LoopWatch(self.parts.limits.lease)
        self._begin("loop watch", loop.start, loop.stop)
        self._await_database()
        if self._ended.is_set():
            return
        self._begin("timers", lambda: self.parts.timers.start(self.fail), self.parts.timers.stop)
        lag = LoopLag(self.parts.pace.way)
        self._begin("loop lag", lambda: lag.start(self.fail), lag.stop)
        self._begin("publisher", self.parts.publisher.start, self.parts.publisher.close)
        buckets = gevent.spawn(self._make_buckets)
        self._undo.append(("buckets", buckets.kill))
        self._begin("consumer", self.parts.consumer.start, self.parts.consumer.stop)
        name = f"{socket.gethostname()}:{os.getpid()}"
        session = LeaseSession(self.parts.pool, self.parts.lease.daemon_id, name, alone=self.parts.limits.alone)
        self._undo.append(("lease session", session.close))
        supervisor = Supervisor.start(self.parts, session, self.fail)
        self._undo.append(("supervisor", lambda: self._stop_actors(supervisor)))
        kept = [SoleActor(partial(kind.start, self.parts)) for kind in ONE_EACH]
        self._undo += [(one.name, partial(_stop_actor, one)) for one in kept]
        listener = Listener(
            self.parts.pool,
            lambda channel, payload: _hint(supervisor, channel, payload),
            self._reload_tenants,
        )
        self._begin("listener", lambda: listener.start(self.fail), listener.stop)
        actors = ActorWatch([supervisor], kept, self.fail)
        self._begin("actor watch", actors.start, actors.stop)

    def _await_database(self) -> None:
        """Started together with its database a daemon comes first: it waits, and says so."""
        for attempt in count(1):
            try:
                self.check()
                return
            except StoreError as error:
                log.warning("database_awaited", error=str(error))
            if self._ended.wait(store_backoff(attempt)):
                return

    def _make_buckets(self) -> None:
        """Text flows without an object store, so its coming is waited for in the background."""
        for attempt in count(1):
            try:
                self.parts.objects.ensure_buckets()
                return
            except StoreError as error:
                log.warning("object_store_awaited", error=str(error))
            gevent.sleep(store_backoff(attempt))

    def _listen(self, port: WSGIServer) -> None:
        try:
            port.start()
        except OSError as error:
            raise PortError(
                f"cannot listen on METRICS_PORT {self.metrics_port} of METRICS_HOST {self.metrics_host} "
                f"({os.strerror(error.errno or 0)}): name an address of this machine, and for each daemon a free port"
            ) from error

    def _begin(self, name: str, start: Callable[[], Any], stop: Callable[[], Any]) -> None:
        start()
        self._undo.append((name, stop))

    def _reload_tenants(self) -> None:
        """Notifications may have been missed while nobody listened."""
        for ref in self.parts.tenants.values():
            tell(ref, ReloadTenant())

    def _stop_actors(self, supervisor: Any) -> None:
        """Shards first (no more work), then what is under way, then the journal, then the lease."""
        tell(supervisor, Stop())
        supervisor.actor_stopped.wait(10.0)
        self.parts.stopping = True
        self._drain(HAND_OVER_SECONDS)
        if self.parts.calls_under_way:  # one provider's slow answers are not waited for by everybody's conversations
            self._leave()
            self._drain(self.parts.limits.request - HAND_OVER_SECONDS)
        for ref in self.parts.tenants.values():
            tell(ref, Stop())
        if self.parts.journal is not None:
            tell(self.parts.journal, Stop())
            self.parts.journal.actor_stopped.wait(10.0)
        self._leave()

    def _leave(self) -> None:
        try:
            with self.parts.pool.transaction() as cursor:
                shards.leave(cursor, self.parts.lease.daemon_id)
        except StoreError as error:
            log.warning("lease_left_to_run_out", error=str(error))

    def _drain(self, seconds: float) -> None:
        """Calls under way end by themselves within their deadline; their outcomes reach the journal."""
        deadline = time.monotonic() + seconds
        while self.parts.calls_under_way and time.monotonic() < deadline:
            self.parts.call_ended.wait(0.5)
            self.parts.call_ended.clear()

    def _stop(self) -> None:
        watchdog = gevent.spawn_later(STOP_SECONDS + 5.0, _give_up)
        for name, undo in reversed(self._undo):
            try:
                undo()
            except Exception:
                log.exception("stopping_failed", part=name)
        watchdog.kill()
        self.parts.pool.close()
        log.info("relay_stopped")


def _stop_actor(kept: SoleActor) -> None:
    """What it was told before is done first; what it cannot finish in time is found again in the stores."""
    ref = kept.ref
    ref.stop(block=False)
    if not ref.actor_stopped.wait(10.0):
        log.warning("actor_still_busy", actor=kept.name)


def _hint(supervisor: Any, channel: str, payload: str) -> None:
    tell(supervisor, DatabaseNotification(channel, payload))


def _give_up() -> None:
    log.error("relay_did_not_stop_in_time")
    os._exit(3)
