"""Publisher and Consumer on real RabbitMQ, and the same promises on Kombu's Redis transport."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import gevent
import pytest
import redis
import requests
from gevent.event import Event

from relay.broker.consumer import Consumer, Delivery
from relay.broker.errors import BrokerError, TopologyError, Unroutable
from relay.broker.publisher import Outgoing, Publisher
from relay.broker.topology import declare
from relay.core.queues import DEAD_LETTERS, INBOUND, OUTBOUND, WEBHOOK_ARCHIVE, queue_name
from sandbox.stack import Redis
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import wait_until

SHARDS = 4


class Inbox:
    """What a consumer delivered, in order."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.lost: list[int] = []
        self.reopened: list[int] = []

    def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.body for delivery in self.deliveries]

    def wait(self, count: int, deadline: float = 20.0) -> list[bytes]:
        wait_until(lambda: len(self.deliveries) >= count, deadline, f"{count} deliveries")
        return self.bodies


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


def message(shard: int, body: bytes, exchange: str = INBOUND) -> Outgoing:
    return Outgoing(exchange, str(shard), body, {"mediaType": "image"})


# On both transports


def test_what_is_confirmed_arrives_with_headers_from_both_exchanges(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    make_publisher(url).publish([message(1, b"in"), message(1, b"out \xff", OUTBOUND)], 5)
    inbox = Inbox()
    consumer = make_consumer(url)
    consumer.open(1, inbox)
    assert sorted(inbox.wait(2)) == [b"in", b"out \xff"]
    assert {one.exchange for one in inbox.deliveries} == {INBOUND, OUTBOUND}
    assert {one.headers["mediaType"] for one in inbox.deliveries} == {"image"}
    assert {(one.shard, one.generation, one.redelivered) for one in inbox.deliveries} == {(1, 1, False)}
    consumer.ack(1, inbox.deliveries)


def test_a_message_for_no_queue_is_an_error_not_a_loss(url: str, make_publisher: Callable[[str], Publisher]) -> None:
    publisher = make_publisher(url)
    with pytest.raises(Unroutable, match=f"1 of 2 not confirmed, first {INBOUND}/{SHARDS}"):
        publisher.publish([message(0, b"fine"), message(SHARDS, b"nowhere")], 5)
    publisher.publish([message(0, b"and on it goes")], 5)


def test_many_greenlets_share_one_publisher(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    publisher = make_publisher(url)

    def work(writer: int) -> None:
        for number in range(20):
            publisher.publish([message(2, b"%d:%d" % (writer, number))], 15)

    gevent.joinall([gevent.spawn(work, writer) for writer in range(50)], raise_error=True, timeout=60)
    assert publisher.waiting == 0
    inbox = Inbox()
    consumer = make_consumer(url, prefetch=2000)
    consumer.open(2, inbox)
    bodies = inbox.wait(1000)
    assert len(set(bodies)) == 1000
    for writer in range(50):
        own = [int(body.split(b":")[1]) for body in bodies if body.startswith(b"%d:" % writer)]
        assert own == list(range(20))
    consumer.ack(2, inbox.deliveries)


def test_a_large_body_passes(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    body = bytes(range(256)) * 16_000
    make_publisher(url).publish([message(3, body)] * 2, 10)
    inbox = Inbox()
    consumer = make_consumer(url)
    consumer.open(3, inbox)
    assert inbox.wait(2) == [body, body]
    consumer.ack(3, inbox.deliveries)


def test_unacked_messages_go_in_order_to_the_next_owner(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    make_publisher(url).publish([message(0, b"%d" % number) for number in range(300)], 10)
    first, second = Inbox(), Inbox()
    before = make_consumer(url, prefetch=50)
    before.open(0, first)
    first.wait(50)
    before.ack(0, first.deliveries[:10])
    # Out of the middle too: acks need not come in the order of deliveries.
    before.ack(0, first.deliveries[20:25])
    before.close(0)
    acked = {b"%d" % number for number in (*range(10), *range(20, 25))}
    seen = len(first.deliveries)
    after = make_consumer(url, prefetch=500)
    after.open(0, second)
    # One acked beyond the prefetch may have reached the first owner; it was not acked, so it comes again.
    expected = [b"%d" % number for number in range(300) if b"%d" % number not in acked]
    assert second.wait(len(expected)) == expected
    assert len(first.deliveries) == seen, "a closed shard must not deliver"
    after.ack(0, second.deliveries)


def test_depth_counts_what_is_ready_in_both_queues(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    consumer = make_consumer(url)
    wait_until(lambda: consumer.connected, 10, "the connection")
    assert consumer.depth(1) == 0
    make_publisher(url).publish([message(1, b"1"), message(1, b"2"), message(1, b"3", OUTBOUND)], 5)
    wait_until(lambda: consumer.depth(1) == 3, 5, "a depth of 3")


def test_a_queue_of_its_own_can_be_consumed(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    make_publisher(url).publish([Outgoing("", WEBHOOK_ARCHIVE, b"raw", droppable=True)], 5)
    inbox = Inbox()
    consumer = make_consumer(url)
    number = consumer.consume(WEBHOOK_ARCHIVE, inbox, 10)
    assert inbox.wait(1) == [b"raw"]
    consumer.ack(number, inbox.deliveries)
    consumer.close(number)


def test_an_acked_message_does_not_come_again_and_acking_twice_is_harmless(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    publisher = make_publisher(url)
    publisher.publish([message(2, b"once")], 5)
    inbox, again = Inbox(), Inbox()
    consumer = make_consumer(url)
    consumer.open(2, inbox)
    inbox.wait(1)
    consumer.ack(2, inbox.deliveries)
    consumer.ack(2, inbox.deliveries)
    assert consumer.stale_acks == 1
    consumer.close(2)
    consumer.open(2, again)
    publisher.publish([message(2, b"next")], 5)
    assert again.wait(1) == [b"next"]
    consumer.ack(2, again.deliveries)


def test_a_deliver_that_raises_is_told_to_the_service(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    failed: list[BaseException] = []
    consumer = make_consumer(url, on_failure=failed.append)

    def deliver(_delivery: Delivery) -> None:
        raise RuntimeError("a mistake of ours")

    consumer.open(3, deliver)
    make_publisher(url).publish([message(3, b"1")], 5)
    wait_until(lambda: failed, 10, "on_failure")
    assert str(failed[0]) == "a mistake of ours"


# RabbitMQ only


def connections(rabbitmq: RabbitMQ, url: str) -> list[str]:
    """Names of the open connections to this virtual host."""
    host = url.rpartition("/")[2]
    return [one["name"] for one in rabbitmq.manage("GET", "connections").json() if one.get("vhost") == host]


def cut_all(rabbitmq: RabbitMQ, url: str) -> None:
    """Close every connection from the broker's side. The management API learns of them late."""
    for name in wait_until(lambda: connections(rabbitmq, url), 20, "the management API to know the connections"):
        with suppress(Exception):
            rabbitmq.manage("DELETE", f"connections/{name}")


def test_the_queues_are_what_docs_say(rabbitmq: RabbitMQ, rabbit_url: str) -> None:
    host = rabbit_url.rpartition("/")[2]
    queues = {one["name"]: one for one in rabbitmq.manage("GET", f"queues/{host}").json()}
    intake = {queue_name(exchange, n) for exchange in (INBOUND, OUTBOUND) for n in range(SHARDS)}
    assert set(queues) >= intake | {DEAD_LETTERS, WEBHOOK_ARCHIVE}
    for name in intake:
        assert queues[name]["arguments"] == {"x-queue-type": "quorum", "x-single-active-consumer": True}
    assert queues[DEAD_LETTERS]["arguments"] == {"x-queue-type": "quorum"}
    archive = queues[WEBHOOK_ARCHIVE]["arguments"]
    assert (archive["x-overflow"], archive["x-queue-type"]) == ("reject-publish", "quorum")
    assert archive["x-max-length-bytes"] > 0
    for exchange in (INBOUND, OUTBOUND):
        found = rabbitmq.manage("GET", f"exchanges/{host}/{exchange}").json()
        assert (found["type"], found["durable"]) == ("direct", True)


def test_another_kind_of_queue_under_our_name_is_refused(rabbitmq: RabbitMQ) -> None:
    url = rabbitmq.create_virtual_host("mistaken")
    try:
        rabbitmq.manage("PUT", f"queues/mistaken/{DEAD_LETTERS}")
        with pytest.raises(TopologyError, match=DEAD_LETTERS):
            declare(url, 1)
    finally:
        rabbitmq.delete_virtual_host("mistaken")


def test_a_lost_connection_fails_nothing_that_can_be_repeated(
    rabbitmq: RabbitMQ,
    rabbit_url: str,
    make_publisher: Callable[[str], Publisher],
    make_consumer: Callable[..., Consumer],
) -> None:
    publisher = make_publisher(rabbit_url)
    publisher.publish([message(0, b"first")], 5)
    sent = 0
    stop = Event()

    def work() -> None:
        nonlocal sent
        while not stop.is_set():
            publisher.publish([message(0, b"x")], 10)
            sent += 1

    writers = [gevent.spawn(work) for _ in range(20)]
    cut_all(rabbitmq, rabbit_url)
    before = sent
    wait_until(lambda: sent > before + 200, 20, "publishing to go on")
    stop.set()
    gevent.joinall(writers, raise_error=True, timeout=20)
    # Repeated ones may be there twice; none may be missing.
    consumer = make_consumer(rabbit_url)
    wait_until(lambda: consumer.connected, 10, "the connection")
    assert consumer.depth(0) >= sent + 1


def test_what_was_not_confirmed_when_the_channel_went_fails(
    rabbitmq: RabbitMQ, rabbit_url: str, make_publisher: Callable[[str], Publisher]
) -> None:
    publisher = make_publisher(rabbit_url)
    publisher.publish([message(0, b"first")], 5)
    rabbitmq.manage("DELETE", f"exchanges/{rabbit_url.rpartition('/')[2]}/{OUTBOUND}")
    try:
        started = time.monotonic()
        with pytest.raises(BrokerError, match="NOT_FOUND"):
            # The broker closes the channel under these two: neither gets its confirm.
            publisher.publish([message(0, b"a", OUTBOUND), message(0, b"b", OUTBOUND)], 1)
        assert time.monotonic() - started < 3
        assert publisher.waiting == 0
    finally:
        declare(rabbit_url, SHARDS)
    publisher.publish([message(0, b"after", OUTBOUND)], 5)


def test_a_broker_that_is_away_is_an_error_within_the_time_given(
    make_publisher: Callable[[str], Publisher],
) -> None:
    publisher = make_publisher("amqp://nobody:secret-password@127.0.0.1:1/none")
    started = time.monotonic()
    with pytest.raises(BrokerError, match="cannot connect") as raised:
        publisher.publish([message(0, b"x" * 1000)], 1)
    assert 0.5 < time.monotonic() - started < 3
    assert "secret-password" not in str(raised.value)
    wait_until(lambda: publisher.waiting == 0, 10, "what was given up to be forgotten")


def test_a_full_archive_refuses_and_stops_nothing(
    rabbitmq: RabbitMQ, rabbit_url: str, make_publisher: Callable[[str], Publisher]
) -> None:
    host = rabbit_url.rpartition("/")[2]
    policy = {"pattern": f"^{WEBHOOK_ARCHIVE}$", "definition": {"max-length-bytes": 100_000}, "apply-to": "queues"}
    publisher = make_publisher(rabbit_url)
    raw = Outgoing("", WEBHOOK_ARCHIVE, b"x" * 50_000, droppable=True)
    answer = requests.put(
        f"http://127.0.0.1:{rabbitmq.management_port}/api/policies/{host}/small",
        json=policy,
        auth=(rabbitmq._user, rabbitmq._password),
        timeout=10,
    )
    answer.raise_for_status()
    try:

        def refused() -> bool:
            return publisher.publish([message(1, b"fine"), raw], 5) == [raw]

        wait_until(refused, 30, "the full queue to refuse")
        with pytest.raises(BrokerError, match="refused"):
            publisher.publish([Outgoing("", WEBHOOK_ARCHIVE, b"x" * 50_000)], 0.5)
    finally:
        rabbitmq.manage("DELETE", f"policies/{host}/small")
        rabbitmq.manage("DELETE", f"queues/{host}/{WEBHOOK_ARCHIVE}/contents")


def test_a_cut_connection_reopens_the_shards_with_a_new_generation(
    rabbitmq: RabbitMQ,
    rabbit_url: str,
    make_publisher: Callable[[str], Publisher],
    make_consumer: Callable[..., Consumer],
) -> None:
    publisher = make_publisher(rabbit_url)
    publisher.publish([message(1, b"%d" % number) for number in range(10)], 5)
    inbox = Inbox()
    consumer = make_consumer(rabbit_url)
    consumer.open(1, inbox, on_lost=inbox.lost.append, on_reopened=inbox.reopened.append)
    inbox.wait(10)
    consumer.ack(1, inbox.deliveries[:4])
    old = list(inbox.deliveries)
    cut_all(rabbitmq, rabbit_url)
    wait_until(lambda: inbox.reopened == [1], 30, "the shard to be reopened")
    assert inbox.lost == [1]
    inbox.wait(16)
    again = inbox.deliveries[10:]
    assert [one.body for one in again] == [b"%d" % number for number in range(4, 10)]
    assert {one.generation for one in again} == {2}
    consumer.ack(1, old)
    assert consumer.stale_acks == 10
    consumer.ack(1, again)
    publisher.publish([message(1, b"on it goes")], 5)
    assert inbox.wait(17)[-1] == b"on it goes"
    consumer.ack(1, inbox.deliveries[16:])


def test_only_one_of_two_consumers_gets_a_shard_until_the_first_closes(
    rabbit_url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    publisher = make_publisher(rabbit_url)
    first, second = Inbox(), Inbox()
    owner, heir = make_consumer(rabbit_url), make_consumer(rabbit_url)
    owner.open(2, first)
    publisher.publish([message(2, b"0")], 5)
    first.wait(1)
    heir.open(2, second)
    publisher.publish([message(2, b"%d" % number) for number in range(1, 20)], 5)
    first.wait(20)
    assert second.deliveries == []
    owner.ack(2, first.deliveries[:5])
    owner.close(2)
    assert second.wait(15) == [b"%d" % number for number in range(5, 20)]
    heir.ack(2, second.deliveries)


def test_a_frozen_broker_is_noticed_by_the_heartbeat(
    rabbitmq: RabbitMQ,
    rabbit_url: str,
    make_publisher: Callable[[str], Publisher],
    make_consumer: Callable[..., Consumer],
) -> None:
    publisher = make_publisher(rabbit_url)
    consumer = make_consumer(rabbit_url)
    inbox = Inbox()
    consumer.open(3, inbox, on_lost=inbox.lost.append)
    publisher.publish([message(3, b"before")], 5)
    inbox.wait(1)
    consumer.ack(3, inbox.deliveries)
    rabbitmq.child.send(signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(BrokerError, match="no confirm in time"):
            publisher.publish([message(3, b"during")], 2)
        wait_until(lambda: inbox.lost == [3] and not publisher.connected, 15, "both to notice")
        assert time.monotonic() - started < 12
    finally:
        rabbitmq.child.send(signal.SIGCONT)
    wait_until(lambda: publisher.connected and consumer.connected, 40, "both to be back")
    publisher.publish([message(3, b"after")], 10)
    wait_until(lambda: b"after" in inbox.bodies, 30, "the message sent after the thaw")
    consumer.ack(3, inbox.deliveries)
