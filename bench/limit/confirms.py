"""Publishing with confirms on one channel for many greenlets."""

from __future__ import annotations

from collections import deque

import amqp
import gevent
from gevent.event import AsyncResult
from kombu import Connection

QUEUE = "limit"
DURABLE = {"x-queue-type": "quorum"}


class Publisher:
    """A greenlet writes what has gathered, another reads the confirms, which come in order of tags."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url).connect()
        self._channel: amqp.Channel = self._connection.channel()
        self._channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=DURABLE)
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._acked)
        self._waiting: deque[tuple[int, AsyncResult[None]]] = deque()
        self._tag = 0
        self._reader = gevent.spawn(self._read)

    def publish(self, bodies: list[bytes]) -> None:
        """Returns when all are confirmed."""
        last: AsyncResult[None] = AsyncResult()
        for body in bodies:
            self._tag += 1
            message = amqp.Message(body, delivery_mode=2)
            self._channel._basic_publish(message, "", QUEUE)
        self._waiting.append((self._tag, last))
        last.get(timeout=30)

    def _acked(self, tag: int, multiple: bool) -> None:
        # A batch is confirmed with its last message: RabbitMQ confirms a queue's messages in order.
        while self._waiting and self._waiting[0][0] <= tag:
            self._waiting.popleft()[1].set(None)

    def _read(self) -> None:
        while True:
            self._connection.drain_events()
