"""What every actor of the relay has in common: it outlives whatever its handlers raise.

Pykka stops every actor of the process when a BaseException escapes a handler, and an actor whose
told command raises dies with its inbox. Both are prevented here, in one place.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakSet

import gevent
import pykka
import structlog
from gevent import GreenletExit
from gevent.queue import SimpleQueue
from gevent.timeout import Timeout

from relay import metrics
from relay.core.errors import StoreError

log = structlog.get_logger(__name__)


class Ping:
    """Answered by every actor; the supervisor's and the tests' barrier."""


class Stop:
    """Leave the directory, let go of what is held, and end."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """A command that an actor has begun and not ended. It says what, never with whose data."""

    actor: RelayActor
    command: str
    seconds: float
    greenlet: gevent.Greenlet[..., None] | None

    def stack(self) -> str:
        """Where it stands, outermost first; without the values of anything. Empty where it runs in this moment."""
        frame = self.greenlet.gr_frame if self.greenlet is not None else None
        return "".join(traceback.format_stack(frame)) if frame is not None else ""


class RelayActor(pykka.ThreadingActor):
    """Commands arrive by `tell` and go to `handle`; never use proxies, their calls bypass the guard."""

    longest_seconds: ClassVar[float] = 60.0
    """No command of it takes longer, unless it is stuck."""
    vital: ClassVar[bool] = False
    """The daemon cannot go on while it is stuck, or where nothing that it is told succeeds any more."""

    failures: int = 0
    """Commands in a row that failed, up to now."""
    _command: Any = None
    _since: float = 0.0
    _greenlet: gevent.Greenlet[..., None] | None = None

    @staticmethod
    def _create_actor_inbox() -> Any:
        """gevent's own queue, in C: the standard library's takes two locks and a condition for each command."""
        return SimpleQueue()

    def _start_actor_loop(self) -> None:
        """A greenlet with no thread around it: cheaper in time and memory, and no switch while it is started."""
        self._greenlet = gevent.spawn(self._actor_loop)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> pykka.ActorRef[Any]:
        """Start without Pykka's registry: nobody looks us up there, and its list makes every end a walk."""
        ref: pykka.ActorRef[Any] = super().start(*args, **kwargs)
        pykka.ActorRegistry.unregister(ref)
        return ref

    def handle(self, command: Any) -> None:
        """Do one command. Whatever it raises is counted, then `recover` runs; all but StoreError is logged."""
        raise TypeError(f"{type(self).__name__} has no use for {type(command).__name__}")

    def recover(self) -> None:
        """Bring the state in memory back in line with the database after a handler failed."""

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Ping):
            return True
        self._command, self._since = message, time.monotonic()
        _working.add(self)
        try:
            self.handle(message)
            if self.failures:
                self._count_success()
        except StoreError as error:  # no failure of the actor, and told once by who speaks with the store
            metrics.actor_waits.labels(type(self).__name__).inc()
            log.debug("actor_waits", actor=type(self).__name__, command=type(message).__name__, error=str(error))
            self._recover()
        except (Exception, GreenletExit, Timeout):
            self._count_failure()
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("actor_failed", actor=type(self).__name__, command=type(message).__name__)
            self._recover()
        finally:
            _working.discard(self)
            self._command = None
        return None

    def _count_failure(self) -> None:
        self.failures += 1
        _failing.add(self)

    def _count_success(self) -> None:
        self.failures = 0
        _failing.discard(self)

    def _recover(self) -> None:
        try:
            self.recover()
        except (Exception, GreenletExit, Timeout):
            log.exception("actor_recovery_failed", actor=type(self).__name__)

    @property
    def inbox_empty(self) -> bool:
        """Nothing else to do: the moment to write a group, or to stop without losing a command."""
        return bool(self.actor_inbox.empty())


_working: set[RelayActor] = set()
_failing: WeakSet[RelayActor] = WeakSet()


def at_work() -> list[AtWork]:
    """What the actors of this process are at. For whoever watches them, from any thread."""
    now = time.monotonic()
    return [AtWork(one, type(one._command).__name__, now - one._since, one._greenlet) for one in list(_working)]


def failing() -> list[RelayActor]:
    """Those that live and whose last command failed."""
    return [one for one in list(_failing) if one.failures and not one.actor_stopped.is_set()]


def tell(ref: pykka.ActorRef[Any] | None, command: Any) -> bool:
    """Tell, if the actor lives. False: it is gone, and its work is found again in PostgreSQL."""
    if ref is None:
        return False
    try:
        ref.tell(command)
    except pykka.ActorDeadError:
        return False
    return True
