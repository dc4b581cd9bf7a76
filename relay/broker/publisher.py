"""Publishing that returns only when the broker has confirmed all of it. Web and the actors call `publish`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from prometheus_client import Counter

from relay.broker.confirms import ConfirmingSender
from relay.broker.connect import Backoff, is_redis
from relay.broker.envelopes import Outgoing
from relay.broker.errors import BrokerError, Nacked, Unroutable
from relay.broker.redis_sender import RedisSender

__all__ = ["Outgoing", "Publisher"]

MEND_SECONDS = 5.0
TOLD_SECONDS = 1.0
"""So long a deleted queue is left alone. Whoever consumed it has to hear of that: RabbitMQ (3.10) cancels nobody where
a queue of the same name is there again at once, and the consumer then waits at the old one."""
FAILURES = Counter(
    "relay_broker_failures_total", "Messages that the broker did not confirm at once; each is repeated or refused",
    ["kind"],
)  # fmt: skip

log = structlog.get_logger(__name__)


class Publisher:
    """Opens its connection with the first publish (so after a fork) and keeps it; used by many greenlets.

    `prepare` runs on each new connection before anything is published, and when a queue is missed: it declares the
    topology, so that a broker that comes back empty is put right.
    """

    def __init__(self, url: str, prepare: Callable[[], None] | None = None) -> None:
        self._sender = RedisSender(url, prepare) if is_redis(url) else ConfirmingSender(url, prepare)
        self._prepare = prepare
        self._closed = Event()
        self._mending = BoundedSemaphore(1)
        self._mend_at = 0.0

    def start(self) -> None:
        """Connect now, in the background."""
        self._sender.start()

    @property
    def connected(self) -> bool:
        return self._sender.connected

    @property
    def waiting(self) -> int:
        """Messages handed over and not yet confirmed."""
        return self._sender.waiting

    def publish(self, outgoing: Sequence[Outgoing], seconds: float) -> list[Outgoing]:
        """Publish all of it, repeating what is not confirmed for up to `seconds`.

        Raises BrokerError naming the first one that is not confirmed; the others may well be.
        Answers with the droppable ones that are not, which are not worth waiting for.
        """
        deadline = time.monotonic() + seconds
        backoff = Backoff(0.05, 1.0)
        left = list(outgoing)
        mended = False
        while not self._closed.is_set():
            failures = self._sender.send(left, deadline)
            left = [one for one, _ in failures]
            needed = [failure for failure in failures if not failure[0].droppable]
            if not needed:
                return left
            for _, error in needed:
                FAILURES.labels(error.kind).inc()
            if isinstance(needed[0][1], Unroutable) and not mended and self._prepare is not None:
                mended = True
                self._mend(self._prepare)
                continue
            pause = backoff.pause()
            if isinstance(needed[0][1], Unroutable) or time.monotonic() + pause >= deadline:
                raise _naming(needed, len(outgoing))
            self._closed.wait(pause)
        raise BrokerError("the publisher is closed")

    def _mend(self, prepare: Callable[[], None]) -> None:
        """Somebody has deleted a queue while we were connected: make it anew, once for all who miss it."""
        with self._mending:
            if time.monotonic() >= self._mend_at:
                self._mend_at = time.monotonic() + MEND_SECONDS
                self._closed.wait(TOLD_SECONDS)
                log.warning("queues_made_anew")
                prepare()

    def close(self) -> None:
        """Fail what is not confirmed and disconnect."""
        self._closed.set()
        self._sender.close()


def _naming(failures: Sequence[tuple[Outgoing, BrokerError]], total: int) -> BrokerError:
    one, error = failures[0]
    kind: type[BrokerError] = type(error) if isinstance(error, (Nacked, Unroutable)) else BrokerError
    return kind(f"{len(failures)} of {total} not confirmed, first {one.destination}: {error}", error.kind)
