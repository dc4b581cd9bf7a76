"""The same as `Link` over Kombu's Redis transport: for trying out and developing.

Nothing is lost, but order and "once" across a kill -9 are promised on RabbitMQ only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import RLock

from relay.broker.errors import BrokerError, describe, kind_of
from relay.broker.secure import connection

POLL_SECONDS = 0.05
VISIBILITY_SECONDS = 10
OPTIONS = {
    "visibility_timeout": VISIBILITY_SECONDS,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5.0,
    "socket_connect_timeout": 4.0,
    "max_connections": 100,
}


class RedisLink:
    """A Redis connection whose poll and operations take turns under one lock."""

    acks_multiple = False
    server_version = ""

    def __init__(self, url: str, on_lost: Callable[[], None] | None = None) -> None:
        """Connect; raises BrokerError. `on_lost` is called once, whatever ended the link."""
        self.lost = Event()
        self.error: BaseException | None = None
        self._on_lost = on_lost
        self._lock = RLock()
        self._channels: list[Any] = []
        self._kombu = connection(url, transport_options=dict(OPTIONS))
        self._errors = (*self._kombu.connection_errors, *self._kombu.channel_errors)
        try:
            # The transport connects with its first command, not before.
            channel: Any = self._kombu.default_channel
            channel.client.ping()
        except self._errors as error:
            raise BrokerError(f"cannot connect to the broker: {describe(error)}", kind_of(error)) from error
        self._reader = gevent.spawn(self._read)

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Around everything that speaks to Redis. The sockets' own timeouts bound it."""
        if self.lost.is_set():
            raise BrokerError(f"the broker connection is lost: {describe(self.error)}", kind_of(self.error))
        try:
            with self._lock:
                yield
        except self._errors as error:
            self.drop(error)
            raise BrokerError(f"the broker connection is lost: {describe(error)}", kind_of(error)) from error

    def channel(self) -> Any:
        """A new channel. Call inside `operation()`."""
        channel = self._kombu.channel()
        self._channels.append(channel)
        return channel

    def consume(self, channel: Any, queue: str, tag: str, callback: Callable[[Any], None]) -> None:
        """Start consuming. Call inside `operation()`."""
        channel.basic_consume(queue, no_ack=False, callback=callback, consumer_tag=tag)

    def close_channel(self, channel: Any, unacked: Iterable[Any]) -> None:
        """Close a channel. Kombu would put back what is unacked last first. Call inside `operation()`."""
        for tag in reversed(list(unacked)):
            channel.qos.restore_by_tag(tag)
        self._channels.remove(channel)
        channel.close()

    def depth(self, channel: Any, queue: str) -> int:
        """Messages ready in the queue. Call inside `operation()`."""
        # An empty Redis list does not exist, which a passive declare takes for a missing queue.
        return int(channel._size(queue))

    @staticmethod
    def content(raw: Any) -> tuple[bytes, Any, dict[str, Any], bool]:
        """Body, tag, headers and the redelivered flag of what a consumer's callback was given."""
        body = raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body)
        return body, raw.delivery_tag, raw.headers or {}, bool((raw.delivery_info or {}).get("redelivered"))

    def drop(self, error: BaseException | None) -> None:
        """End the link. Wakes all who wait. May be called twice."""
        if self.lost.is_set():
            return
        self.error = error
        self.lost.set()
        if self._on_lost is not None:
            self._on_lost()

    def close(self) -> None:
        """End the link and free its connections; what is unacked becomes visible again."""
        self.drop(None)
        if gevent.getcurrent() is not self._reader:
            self._reader.join(timeout=2.0)
            self._reader.kill(timeout=2.0)
        with suppress(*self._errors), gevent.Timeout(3.0, False):
            self._kombu.release()

    def _read(self) -> None:
        try:
            while not self.lost.is_set():
                self._poll()
        # A link is not repaired: whatever was read that cannot be understood, the next one starts afresh.
        except Exception as error:  # noqa: BLE001
            self.drop(error)

    def _poll(self) -> None:
        if not any(channel.active_queues for channel in self._channels):
            self.lost.wait(POLL_SECONDS)
            return
        with self._lock, suppress(TimeoutError):
            self._kombu.drain_events(timeout=POLL_SECONDS)
        gevent.sleep(0)  # the lock's other users wait for their turn
