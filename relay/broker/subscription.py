"""One shard's consuming: its channel, which deliveries are not acked yet, and over which channel they came."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from gevent.lock import RLock

from relay.broker.envelopes import Delivery
from relay.broker.errors import BrokerError
from relay.broker.link import Link
from relay.broker.redis_link import RedisLink


class Subscription:
    """Owned by the Consumer, which opens it on each new link until it is closed for good."""

    def __init__(
        self,
        number: int,
        queues: Sequence[tuple[str, str]],
        prefetch: int,
        deliver: Callable[[Delivery], None],
        on_lost: Callable[[int], None] | None,
        on_opened: Callable[[int, int, int], None] | None,
        generations: Iterator[int],
    ) -> None:
        """`generations`: the numbers of channels, never the same one twice in a process."""
        self.number = number
        self.generation = 0
        self.link: Link | RedisLink | None = None
        self.on_lost = on_lost
        self.on_opened = on_opened
        self._queues = queues
        self.prefetch = prefetch
        self._generations = generations
        self._deliver = deliver
        self._wanted = True
        self._channel: Any = None
        self._unacked: OrderedDict[Any, None] = OrderedDict()
        self._lock = RLock()

    def anew(self, prefetch: int) -> Subscription:
        """The same queues for the same receiver, to be opened by the Consumer."""
        return Subscription(
            self.number, self._queues, prefetch, self._deliver, self.on_lost, self.on_opened, self._generations
        )

    def open(self, link: Link | RedisLink) -> None:
        """Start consuming over this link, with a new generation. Raises BrokerError."""
        with self._lock:
            if not self._wanted:
                return
            with link.operation():
                channel = link.channel()
                channel.basic_qos(0, self.prefetch, False)
                self.generation = next(self._generations)
                self.link, self._channel = link, channel
                for exchange, queue in self._queues:
                    receive = partial(self._receive, exchange, self.generation)
                    link.consume(channel, queue, f"{queue}/{self.generation}", receive)

    def close(self) -> None:
        """Nothing more is delivered; the broker gets back what is unacked, in order."""
        self._wanted = False
        with self._lock:
            link, channel, self.link, self._channel = self.link, self._channel, None, None
            # Closing the channel and nothing else: cancel and reject(requeue) reorder.
            if link is not None and channel is not None and not link.lost.is_set():
                with link.operation():
                    link.close_channel(channel, self._unacked)
            self._unacked.clear()

    def forget(self) -> None:
        """The link is lost, and with it every delivery that was not acked."""
        self.link, self._channel = None, None
        self._unacked.clear()

    def ack(self, deliveries: Sequence[Delivery]) -> int:
        """Ack, and return how many could not be: they came over a link that is gone, or were acked before."""
        current = [one.tag for one in deliveries if one.generation == self.generation and one.tag in self._unacked]
        link, channel = self.link, self._channel
        if not current or link is None or channel is None:
            return len(deliveries)
        try:
            with link.operation():
                self._write_acks(link.acks_multiple, channel, dict.fromkeys(current))
        except BrokerError:
            return len(deliveries)
        return len(deliveries) - len(set(current))

    def _write_acks(self, multiple: bool, channel: Any, tags: dict[Any, None]) -> None:
        oldest = None
        while multiple and self._unacked and (first := next(iter(self._unacked))) in tags:
            self._unacked.popitem(last=False)
            del tags[first]
            oldest = first
        if oldest is not None:
            channel.basic_ack(oldest, multiple=True)
        for tag in tags:
            self._unacked.pop(tag, None)
            channel.basic_ack(tag)

    def _receive(self, exchange: str, generation: int, raw: Any) -> None:
        if generation != self.generation or self.link is None:
            return
        body, tag, headers, redelivered = self.link.content(raw)
        self._unacked[tag] = None
        if self._wanted:
            self._deliver(Delivery(exchange, body, tag, self.number, headers, redelivered, generation))
