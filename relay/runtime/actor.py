"""What every actor of the relay has in common: it outlives whatever its handlers raise.

Pykka stops every actor of the process when a BaseException escapes a handler, and an actor whose
told command raises dies with its inbox. Both are prevented here, in one place.
"""

from __future__ import annotations

from typing import Any

import gevent
import pykka
import structlog
from gevent import GreenletExit
from gevent.queue import SimpleQueue
from gevent.timeout import Timeout

from relay import metrics

log = structlog.get_logger(__name__)


class Ping:
    """Answered by every actor; the supervisor's and the tests' barrier."""


class Stop:
    """Leave the directory, let go of what is held, and end."""


class RelayActor(pykka.ThreadingActor):
    """Commands arrive by `tell` and go to `handle`; never use proxies, their calls bypass the guard."""

    failures: int = 0
    """Commands in a row that failed, up to now."""

    @staticmethod
    def _create_actor_inbox() -> Any:
        """gevent's own queue, in C: the standard library's takes two locks and a condition for each command."""
        return SimpleQueue()

    def _start_actor_loop(self) -> None:
        """A greenlet with no thread around it: cheaper in time and memory, and no switch while it is started."""
        gevent.spawn(self._actor_loop)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> pykka.ActorRef[Any]:
        """Start without Pykka's registry: nobody looks us up there, and its list makes every end a walk."""
        ref: pykka.ActorRef[Any] = super().start(*args, **kwargs)
        pykka.ActorRegistry.unregister(ref)
        return ref

    def handle(self, command: Any) -> None:
        """Do one command. Whatever it raises is logged and counted, then `recover` runs."""
        raise TypeError(f"{type(self).__name__} has no use for {type(command).__name__}")

    def recover(self) -> None:
        """Bring the state in memory back in line with the database after a handler failed."""

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Ping):
            return True
        try:
            self.handle(message)
            self.failures = 0
        except (Exception, GreenletExit, Timeout):
            self.failures += 1
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("actor_failed", actor=type(self).__name__, command=type(message).__name__)
            self._recover()
        return None

    def _recover(self) -> None:
        try:
            self.recover()
        except (Exception, GreenletExit, Timeout):
            log.exception("actor_recovery_failed", actor=type(self).__name__)

    @property
    def inbox_empty(self) -> bool:
        """Nothing else to do: the moment to write a group, or to stop without losing a command."""
        return bool(self.actor_inbox.empty())


def tell(ref: pykka.ActorRef[Any] | None, command: Any) -> bool:
    """Tell, if the actor lives. False: it is gone, and its work is found again in PostgreSQL."""
    if ref is None:
        return False
    try:
        ref.tell(command)
    except pykka.ActorDeadError:
        return False
    return True
