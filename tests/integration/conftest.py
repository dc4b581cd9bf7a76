"""Brokers for the tests of relay.broker, a database with a line for those of what is written."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
import redis

from db.pool import Pool
from demo.stack import Redis
from relay.broker.consumer import Consumer
from relay.broker.publisher import Publisher
from relay.broker.topology import declare
from tests.integration.brokers import SHARDS
from tests.integration.rows import new_line
from tests.services.rabbitmq import RabbitMQ


@pytest.fixture
def rabbit_url(rabbitmq: RabbitMQ) -> Iterator[str]:
    """Every test has queues of its own: what one leaves behind is nobody else's."""
    host = f"broker-{secrets.token_hex(4)}"
    url = rabbitmq.create_virtual_host(host)
    declare(url, SHARDS)
    yield url
    rabbitmq.delete_virtual_host(host)


@pytest.fixture(params=["rabbitmq", "redis"])
def url(request: pytest.FixtureRequest, rabbitmq: RabbitMQ, redis_server: Redis) -> str:
    if request.param == "rabbitmq":
        found: str = request.getfixturevalue("rabbit_url")
        return found
    with redis.Redis.from_url(redis_server.url(2)) as client:
        client.flushdb()
    declare(redis_server.url(2), SHARDS)
    return redis_server.url(2)


@pytest.fixture
def make_publisher() -> Iterator[Callable[[str], Publisher]]:
    made: list[Publisher] = []

    def make(url: str) -> Publisher:
        made.append(Publisher(url))
        return made[-1]

    yield make
    for publisher in made:
        publisher.close()


@pytest.fixture
def make_consumer() -> Iterator[Callable[..., Consumer]]:
    made: list[Consumer] = []

    def make(url: str, prefetch: int = 100, on_failure: Callable[[BaseException], None] | None = None) -> Consumer:
        consumer = Consumer(url, SHARDS, prefetch, on_failure=on_failure)
        consumer.start()
        made.append(consumer)
        return consumer

    yield make
    for consumer in made:
        consumer.stop()


@pytest.fixture(scope="module")
def pool(postgres: str) -> Iterator[Pool]:
    with Pool(postgres) as pool:
        yield pool


@pytest.fixture(scope="module")
def line_id(pool: Pool) -> str:
    return new_line(pool)
