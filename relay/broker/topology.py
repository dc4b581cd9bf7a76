"""The exchanges and queues that web and relay use, created and checked. docs/queues.md explains them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import structlog
from amqp.exceptions import ChannelError, PreconditionFailed
from kombu import Connection

from relay.broker.connect import is_redis
from relay.broker.errors import BrokerError, TopologyError, describe, kind_of
from relay.broker.link import CONNECT_SECONDS
from relay.broker.secure import connection
from relay.core.queues import DEAD_LETTERS, INBOUND, OUTBOUND, WEBHOOK_ARCHIVE, queue_name

log = structlog.get_logger(__name__)

EXCHANGES = (INBOUND, OUTBOUND)
ARCHIVE_LIMITS = {"x-max-length-bytes": 1 << 30, "x-overflow": "reject-publish"}
DECLARE_SECONDS = 60.0


def declare(url: str, shards: int) -> None:
    """Create what is missing and check what is there. Raises TopologyError, or BrokerError when away."""
    with _connection(url) as connection:
        channel = connection.channel()
        quorum = {} if is_redis(url) else _quorum(connection)
        limits = {} if is_redis(url) else ARCHIVE_LIMITS
        ordered = {**quorum, "x-single-active-consumer": True} if quorum else {}
        for exchange in EXCHANGES:
            _exchange(channel, exchange)
            for number in range(shards):
                _queue(channel, queue_name(exchange, number), ordered)
                channel.queue_bind(queue_name(exchange, number), exchange, str(number))
        _queue(channel, DEAD_LETTERS, quorum)
        _queue(channel, WEBHOOK_ARCHIVE, {**quorum, **limits})


def waiting(url: str, shards: int) -> int:
    """Messages that stand in the shards' queues and are not being worked on."""
    with _connection(url) as connection:
        channel = connection.channel()
        names = [queue_name(exchange, number) for exchange in EXCHANGES for number in range(shards)]
        return sum(_count(channel, name, url) for name in names)


def remove(url: str, numbers: Iterable[int]) -> None:
    """Delete the queues of shards that are no more. One that is not empty stays: quorum queues know no if-empty."""
    with _connection(url) as connection:
        channel = connection.channel()
        for number in numbers:
            for exchange in EXCHANGES:
                name = queue_name(exchange, number)
                if _count(channel, name, url) == 0:
                    channel.queue_delete(name)


def _count(channel: Any, name: str, url: str) -> int:
    try:
        counted: int = channel.queue_declare(name, passive=True).message_count
    except ChannelError:
        # Redis keeps no empty list, and Kombu then answers that there is no such queue.
        if not is_redis(url):
            raise
        return 0
    return counted


def _quorum(connection: Connection) -> dict[str, Any]:
    """RabbitMQ 4 drops a message at its 20th redelivery unless told otherwise.

    On 3.x the argument itself is the trouble: it loses prefetched messages at a hand-over, and -1
    drops at the first redelivery.
    """
    version = str(connection.connection.server_properties.get("version", "0"))
    lifted = {"x-delivery-limit": -1} if int(version.partition(".")[0]) >= 4 else {}
    return {"x-queue-type": "quorum", **lifted}


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    # Kombu would pause for two seconds before it says that nobody is there.
    options = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.0}
    opened = connection(url, connect_timeout=CONNECT_SECONDS, transport_options=options)
    errors = (*opened.connection_errors, *opened.channel_errors, TimeoutError)
    try:
        with gevent.Timeout(DECLARE_SECONDS, TimeoutError("the broker did not answer")):
            opened.connect()
            yield opened
    except errors as error:
        raise BrokerError(f"cannot declare the queues: {describe(error)}", kind_of(error)) from error
    finally:
        opened.release()


def _exchange(channel: Any, name: str) -> None:
    try:
        channel.exchange_declare(name, "direct", durable=True, auto_delete=False)
    except PreconditionFailed as error:
        raise TopologyError(f"the exchange {name} exists, but not as direct and durable: {error}") from error


def _queue(channel: Any, name: str, arguments: dict[str, Any]) -> None:
    try:
        channel.queue_declare(name, durable=True, exclusive=False, auto_delete=False, arguments=arguments)
    except PreconditionFailed as error:
        # A queue made by RabbitMQ 3 keeps its arguments when the server is upgraded to 4.
        if "x-delivery-limit" not in str(error):
            raise TopologyError(f"the queue {name} exists with other arguments: {error}") from error
        log.warning("queue_keeps_default_delivery_limit", queue=name, advice="set a policy delivery-limit of -1")
        channel.queue_declare(name, passive=True)
