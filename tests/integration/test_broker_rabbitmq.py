"""Publisher and Consumer where RabbitMQ itself is the point: queues, confirms, lost and frozen connections."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress

import gevent
import pytest
import requests
from gevent.event import Event

from relay.broker.consumer import Consumer
from relay.broker.errors import BrokerError, TopologyError
from relay.broker.publisher import Outgoing, Publisher
from relay.broker.topology import declare
from relay.core.queues import DEAD_LETTERS, INBOUND, OUTBOUND, WEBHOOK_ARCHIVE, queue_name
from tests.integration.brokers import SHARDS, Inbox, message
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import PATIENCE, wait_until

# RabbitMQ only


def connections(rabbitmq: RabbitMQ, url: str) -> list[str]:
    """Names of the open connections to this virtual host."""
    host = url.rpartition("/")[2]
    return [one["name"] for one in rabbitmq.manage("GET", "connections").json() if one.get("vhost") == host]


def cut_all(rabbitmq: RabbitMQ, url: str) -> None:
    """Close every connection from the broker's side. The management API learns of them late."""
    for name in wait_until(lambda: connections(rabbitmq, url), message="the management API to know the connections"):
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
    publisher.publish([message(0, b"first")], PATIENCE)
    sent = 0
    stop = Event()

    def work() -> None:
        nonlocal sent
        while not stop.is_set():
            publisher.publish([message(0, b"x")], PATIENCE)
            sent += 1

    writers = [gevent.spawn(work) for _ in range(20)]
    cut_all(rabbitmq, rabbit_url)
    before = sent
    wait_until(lambda: sent > before + 200, message="publishing to go on")
    stop.set()
    gevent.joinall(writers, raise_error=True, timeout=PATIENCE)
    # Repeated ones may be there twice; none may be missing.
    consumer = make_consumer(rabbit_url)
    wait_until(lambda: consumer.connected, message="the connection")
    wait_until(lambda: consumer.depth(0) >= sent + 1, message="all of them to be in the queue")


def test_what_is_published_together_is_written_with_one_call(
    rabbit_url: str, make_publisher: Callable[[str], Publisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = make_publisher(rabbit_url)
    publisher.publish([message(0, b"first")], PATIENCE)
    outlet = publisher._sender._link._amqp.outlet  # type: ignore[union-attr]
    written: list[bytes] = []
    send = outlet._send

    def seen(piece: bytes) -> None:
        written.append(bytes(piece))
        send(piece)

    monkeypatch.setattr(outlet, "_send", seen)
    publisher.publish([message(n % SHARDS, b"together %d" % n) for n in range(20)], PATIENCE)
    assert [found for piece in written if (found := piece.count(b"together"))] == [20]


def test_what_was_not_confirmed_when_the_channel_went_fails(
    rabbitmq: RabbitMQ, rabbit_url: str, make_publisher: Callable[[str], Publisher]
) -> None:
    publisher = make_publisher(rabbit_url)
    publisher.publish([message(0, b"first")], PATIENCE)
    rabbitmq.manage("DELETE", f"exchanges/{rabbit_url.rpartition('/')[2]}/{OUTBOUND}")
    try:
        with pytest.raises(BrokerError, match="2 of 2 not confirmed"):
            # The broker closes the channel under these two: neither gets its confirm.
            publisher.publish([message(0, b"a", OUTBOUND), message(0, b"b", OUTBOUND)], 1)
        assert publisher.waiting == 0
    finally:
        declare(rabbit_url, SHARDS)
    publisher.publish([message(0, b"after", OUTBOUND)], PATIENCE)


def test_a_broker_that_is_away_is_an_error_within_the_time_given(
    make_publisher: Callable[[str], Publisher],
) -> None:
    publisher = make_publisher("amqp://nobody:secret-password@127.0.0.1:1/none")
    with pytest.raises(BrokerError, match="cannot connect") as raised:
        publisher.publish([message(0, b"x" * 1000)], 1)
    assert "secret-password" not in str(raised.value)
    wait_until(lambda: publisher.waiting == 0, message="what was given up to be forgotten")


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
        timeout=PATIENCE,
    )
    answer.raise_for_status()
    try:

        def refused() -> bool:
            return publisher.publish([message(1, b"fine"), raw], PATIENCE) == [raw]

        wait_until(refused, message="the full queue to refuse")
        with pytest.raises(BrokerError, match="1 of 1 not confirmed"):
            publisher.publish([Outgoing("", WEBHOOK_ARCHIVE, b"x" * 50_000)], 0.5)
    finally:
        rabbitmq.manage("DELETE", f"policies/{host}/small")
        rabbitmq.manage("DELETE", f"queues/{host}/{WEBHOOK_ARCHIVE}/contents")


def test_a_shard_that_is_consumed_anew_brings_what_was_not_acked_in_order_and_so_many_at_once(
    rabbit_url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    make_publisher(rabbit_url).publish([message(1, b"%d" % number) for number in range(6)], PATIENCE)
    inbox = Inbox()
    consumer = make_consumer(rabbit_url)
    consumer.open(1, inbox, on_lost=inbox.lost.append)
    inbox.wait(6)
    consumer.ack(1, inbox.deliveries[:1])
    consumer.reopen(1, 2)
    assert inbox.lost == [1]
    assert inbox.wait(8)[6:] == [b"1", b"2"]
    assert consumer.depth(1) == 3, "the rest waits at the broker"
    consumer.ack(1, inbox.deliveries[6:])
    assert inbox.wait(10)[8:] == [b"3", b"4"]
    consumer.close(1)
    consumer.reopen(1, 2)
    assert (
        wait_until(lambda: consumer.depth(1) == 3, message="what was given up to be back") and len(inbox.bodies) == 10
    )


def test_a_cut_connection_reopens_the_shards_with_a_new_generation(
    rabbitmq: RabbitMQ,
    rabbit_url: str,
    make_publisher: Callable[[str], Publisher],
    make_consumer: Callable[..., Consumer],
) -> None:
    publisher = make_publisher(rabbit_url)
    publisher.publish([message(1, b"%d" % number) for number in range(10)], PATIENCE)
    inbox = Inbox()
    consumer = make_consumer(rabbit_url)
    consumer.open(1, inbox, on_lost=inbox.lost.append, on_opened=lambda *opened: inbox.opened.append(opened))
    inbox.wait(10)
    consumer.ack(1, inbox.deliveries[:4])
    old = list(inbox.deliveries)
    cut_all(rabbitmq, rabbit_url)
    wait_until(lambda: [one[:2] for one in inbox.opened] == [(1, 1), (1, 2)], message="the shard to be opened anew")
    assert inbox.lost == [1]
    inbox.wait(16)
    again = inbox.deliveries[10:]
    assert [one.body for one in again] == [b"%d" % number for number in range(4, 10)]
    assert {one.generation for one in again} == {2}
    consumer.ack(1, old)
    assert consumer.stale_acks == 10
    consumer.ack(1, again)
    publisher.publish([message(1, b"on it goes")], PATIENCE)
    assert inbox.wait(17)[-1] == b"on it goes"
    consumer.ack(1, inbox.deliveries[16:])


def test_only_one_of_two_consumers_gets_a_shard_until_the_first_closes(
    rabbit_url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    publisher = make_publisher(rabbit_url)
    first, second = Inbox(), Inbox()
    owner, heir = make_consumer(rabbit_url), make_consumer(rabbit_url)
    owner.open(2, first)
    publisher.publish([message(2, b"0")], PATIENCE)
    first.wait(1)
    heir.open(2, second)
    publisher.publish([message(2, b"%d" % number) for number in range(1, 20)], PATIENCE)
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
    publisher.publish([message(3, b"before")], PATIENCE)
    inbox.wait(1)
    consumer.ack(3, inbox.deliveries)
    rabbitmq.child.send(signal.SIGSTOP)
    try:
        with pytest.raises(BrokerError, match="no confirm in time"):
            publisher.publish([message(3, b"during")], 2)
        wait_until(lambda: inbox.lost == [3] and not publisher.connected, message="both to notice")
    finally:
        rabbitmq.child.send(signal.SIGCONT)
    wait_until(lambda: publisher.connected and consumer.connected, message="both to be back")
    publisher.publish([message(3, b"after")], PATIENCE)
    wait_until(lambda: b"after" in inbox.bodies, message="the message sent after the thaw")
    consumer.ack(3, inbox.deliveries)
