"""The daemon's consuming: one connection, one channel per shard, reopened by itself after a loss.

`deliver` is called from the reading greenlet and must only hand over (an actor's tell).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import gevent
import structlog
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from relay.broker.connect import Backoff, open_link
from relay.broker.envelopes import Delivery
from relay.broker.errors import BrokerError, describe, kind_of
from relay.broker.link import Link
from relay.broker.redis_link import RedisLink
from relay.broker.subscription import Subscription
from relay.core.episode import QUIET_SECONDS, Episode
from relay.core.queues import INBOUND, OUTBOUND, queue_name

__all__ = ["Consumer", "Delivery"]

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = (0.2, 1.0)
"""Whoever waits for a message that is in a queue waits for this, too."""

Deliver = Callable[[Delivery], None]
Told = Callable[[int], None]
Opened = Callable[[int, int, int], None]


class Consumer:
    """Call `start()` once; then `open` and `close` shards at will, connected or not.

    `on_failure` hears of an exception that is nobody's lost connection (also one that a `deliver`
    let escape); consuming has ended then, and the process should end too. `prepare` runs before
    each connect: it declares the topology.
    """

    def __init__(
        self,
        url: str,
        shards: int,
        prefetch: int,
        *,
        on_failure: Callable[[BaseException], None] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._url = url
        self._shards = shards
        self._prefetch = prefetch
        self._on_failure = on_failure
        self._prepare = prepare
        self._subscriptions: dict[int, Subscription] = {}
        self._numbers = count(-1, -1)
        self._generations = count(1)
        self._link: Link | RedisLink | None = None
        self._questions: Any = None
        self._asking = BoundedSemaphore(1)
        self._changed = Event()
        self._closed = Event()
        self._greenlet: gevent.Greenlet | None = None
        self._episode = Episode()
        self.stale_acks = 0

    @property
    def connected(self) -> bool:
        return self._link is not None and not self._link.lost.is_set()

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def open(self, shard: int, deliver: Deliver, on_lost: Told | None = None, on_opened: Opened | None = None) -> None:
        """Consume the shard's queue of both exchanges over one channel, from now until `close(shard)`.

        Returns at once; a shard that cannot be opened yet is opened when the broker is back.
        `on_lost(shard)`: what was delivered and not acked will come again, over a new generation.
        `on_opened(shard, generation, prefetch)`: from now on what is in the queues comes, over a channel of that
        number, and so many of each before the first is acked.
        """
        if not 0 <= shard < self._shards:
            raise ValueError(f"there is no shard {shard}")
        queues = [(exchange, queue_name(exchange, shard)) for exchange in (INBOUND, OUTBOUND)]
        guarded = self._guarded(deliver)
        self._add(Subscription(shard, queues, self._prefetch, guarded, on_lost, on_opened, self._generations))

    def consume(
        self,
        queue: str,
        deliver: Deliver,
        prefetch: int,
        on_lost: Told | None = None,
        on_opened: Opened | None = None,
    ) -> int:
        """Consume one queue by name; returns the number to use as `shard` for ack and close."""
        number = next(self._numbers)
        guarded = self._guarded(deliver)
        self._add(Subscription(number, [("", queue)], prefetch, guarded, on_lost, on_opened, self._generations))
        return number

    def ack(self, shard: int, deliveries: Sequence[Delivery]) -> None:
        """Ack; never raises. What came over a lost connection is counted in `stale_acks` and comes again."""
        subscription = self._subscriptions.get(shard)
        self.stale_acks += len(deliveries) if subscription is None else subscription.ack(deliveries)

    def close(self, shard: int) -> None:
        """Stop consuming: when this returns nothing more is delivered, and another owner may begin."""
        subscription = self._subscriptions.pop(shard, None)
        if subscription is not None:
            self._end(subscription)

    def reopen(self, shard: int, prefetch: int) -> None:
        """Consume the shard over a new channel that brings so many before the first is acked.

        What was delivered and not acked comes again, in order; `on_lost` is told before that. Without effect on a shard
        that is not open.
        """
        subscription = self._subscriptions.get(shard)
        if subscription is None:
            return
        self._end(subscription)
        if self._subscriptions.get(shard) is not subscription:
            return  # given up meanwhile
        if subscription.on_lost is not None:
            subscription.on_lost(shard)
        self._subscriptions[shard] = subscription.anew(prefetch)
        self._changed.set()

    def depth(self, shard: int) -> int:
        """Messages ready in the shard's queues. Raises BrokerError while the broker is away."""
        return sum(self.ready(queue_name(exchange, shard)) for exchange in (INBOUND, OUTBOUND))

    def ready(self, queue: str) -> int:
        """Messages ready in the queue. Raises BrokerError while the broker is away."""
        link = self._link
        if link is None:
            raise BrokerError("the broker is away")
        with self._asking, link.operation():
            if self._questions is None or self._questions[0] is not link:
                self._questions = (link, link.channel())
            return int(link.depth(self._questions[1], queue))

    def stop(self) -> None:
        """Close every shard and disconnect."""
        for shard in list(self._subscriptions):
            self.close(shard)
        self._closed.set()
        self._changed.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=10.0)
            self._greenlet.kill(timeout=2.0)

    @staticmethod
    def _end(subscription: Subscription) -> None:
        try:
            subscription.close()
        except BrokerError as error:
            # The connection ended with it, and so did the channel.
            log.warning("shard_closed_with_connection", shard=subscription.number, reason=str(error))

    def _add(self, subscription: Subscription) -> None:
        if subscription.number in self._subscriptions:
            raise ValueError(f"shard {subscription.number} is open already")
        self._subscriptions[subscription.number] = subscription
        self._changed.set()

    def _guarded(self, deliver: Deliver) -> Deliver:
        def guarded(delivery: Delivery) -> None:
            try:
                deliver(delivery)
            # It would otherwise be taken for a broken connection, again and again.
            except Exception as error:  # noqa: BLE001
                self._fail(error)

        return guarded

    def _fail(self, error: BaseException) -> None:
        log.error("consumer_failed", error=describe(error), exc_info=error)
        self._closed.set()
        self._changed.set()
        if self._on_failure is not None:
            self._on_failure(error)

    def _run(self) -> None:
        backoff = Backoff(*RECONNECT_SECONDS)
        try:
            while not self._closed.is_set():
                try:
                    self._serve(backoff)
                except BrokerError as error:
                    if self._episode.failed(time.monotonic()):
                        log.warning("consumer_disconnected", kind=error.kind, reason=str(error))
                self._closed.wait(backoff.pause())
        # Nothing restarts this greenlet: the service has to know.
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def _serve(self, backoff: Backoff) -> None:
        if self._prepare is not None:
            self._prepare()
        link = self._link = open_link(self._url, on_lost=self._changed.set)
        connected_at = time.monotonic()
        try:
            log.info("consumer_connected", server=link.server_version)
            while not link.lost.is_set() and not self._closed.is_set():
                self._changed.clear()
                self._open_missing(link)
                backoff.reset()
                self._changed.wait()
            if not self._closed.is_set():
                raise BrokerError(f"the broker connection is lost: {describe(link.error)}", kind_of(link.error))
        finally:
            self._link = None
            if time.monotonic() - connected_at > QUIET_SECONDS:
                self._episode = Episode()  # it has worked for a while: what comes now is news
            link.close()
            self._tell_lost()

    def _open_missing(self, link: Link | RedisLink) -> None:
        for subscription in list(self._subscriptions.values()):
            if subscription.link is None:
                subscription.open(link)
                if subscription.link is not None and subscription.on_opened is not None:
                    subscription.on_opened(subscription.number, subscription.generation, subscription.prefetch)

    def _tell_lost(self) -> None:
        for subscription in list(self._subscriptions.values()):
            if subscription.link is None:
                continue
            subscription.forget()
            if subscription.on_lost is not None:
                subscription.on_lost(subscription.number)
