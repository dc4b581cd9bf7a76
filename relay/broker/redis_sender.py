"""The Redis side of Publisher: Redis has answered when the command returns, so nothing is pending."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import structlog
from gevent.lock import RLock

from relay.broker.connect import Backoff
from relay.broker.envelopes import Outgoing
from relay.broker.errors import BrokerError, Unroutable
from relay.broker.redis_link import RedisLink

log = structlog.get_logger(__name__)


class RedisSender:
    """Publishes in the caller's greenlet, one message at a time, so that whoever has thousands lets others between."""

    waiting = 0

    def __init__(self, url: str, prepare: Callable[[], None] | None) -> None:
        self._url = url
        self._prepare = prepare
        self._lock = RLock()
        self._link: RedisLink | None = None
        self._channel: Any = None

    @property
    def connected(self) -> bool:
        return self._link is not None and not self._link.lost.is_set()

    def start(self) -> None:
        """Connect in the background, so that readiness does not wait for the first message."""
        gevent.spawn(self._try_to_connect)

    def _try_to_connect(self) -> None:
        backoff = Backoff(0.1, 1.0)
        while not self.connected:
            try:
                with self._lock:
                    self._connected()
            except BrokerError as error:
                log.warning("publisher_awaits_broker", reason=str(error))
                gevent.sleep(backoff.pause())

    def send(self, outgoing: Sequence[Outgoing], deadline: float) -> list[tuple[Outgoing, BrokerError]]:
        """Publish once; returns what Redis did not take, each with its reason."""
        patience = max(deadline - time.monotonic(), 0.001)  # for each turn: what has begun goes on
        return [(one, error) for one in outgoing if (error := self._in_turn(one, patience)) is not None]

    def close(self) -> None:
        if self._link is not None:
            self._link.close()

    def _in_turn(self, outgoing: Outgoing, patience: float) -> BrokerError | None:
        if not self._lock.acquire(timeout=patience):
            return BrokerError("the broker is too slow")
        try:
            return self._send_one(outgoing)
        finally:
            self._lock.release()
            gevent.sleep(0)  # else the same greenlet would have the lock again before anybody who waits for it

    def _send_one(self, outgoing: Outgoing) -> BrokerError | None:
        try:
            link = self._connected()
            with link.operation():
                self._publish(outgoing)
        except BrokerError as error:
            return error
        return None

    def _connected(self) -> RedisLink:
        if self._link is None or self._link.lost.is_set():
            if self._link is not None:
                self._link.close()
                self._link = None
            if self._prepare is not None:
                self._prepare()
            link = RedisLink(self._url)
            with link.operation():
                self._channel = link.channel()
            self._link = link
        return self._link

    def _publish(self, outgoing: Outgoing) -> None:
        channel = self._channel
        # Kombu would create a queue of its own for what is not routable.
        if outgoing.exchange and not self._routable(outgoing):
            raise Unroutable("no queue takes it")
        message = channel.prepare_message(
            outgoing.body, content_type=outgoing.content_type, headers=dict(outgoing.headers or {}), properties={}
        )
        channel.basic_publish(message, outgoing.exchange, outgoing.routing_key)

    def _routable(self, outgoing: Outgoing) -> bool:
        table = self._channel.get_table(outgoing.exchange)
        return any(key == outgoing.routing_key for key, _, _ in table)
