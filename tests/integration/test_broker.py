"""Publisher and Consumer: the same promises on RabbitMQ and on Kombu's Redis transport."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from relay.broker.consumer import Consumer, Delivery
from relay.broker.errors import Unroutable
from relay.broker.publisher import Outgoing, Publisher
from relay.broker.topology import remove, waiting
from relay.core.queues import INBOUND, OUTBOUND, WEBHOOK_ARCHIVE
from tests.integration.brokers import SHARDS, Inbox, message
from tests.waiting import PATIENCE, wait_until

# On both transports


def test_what_is_confirmed_arrives_with_headers_from_both_exchanges(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    make_publisher(url).publish([message(1, b"in"), message(1, b"out \xff", OUTBOUND)], PATIENCE)
    inbox = Inbox()
    consumer = make_consumer(url)
    consumer.open(1, inbox)
    assert sorted(inbox.wait(2)) == [b"in", b"out \xff"]
    assert {one.exchange for one in inbox.deliveries} == {INBOUND, OUTBOUND}
    assert {one.headers["mediaType"] for one in inbox.deliveries} == {"image"}
    assert {(one.shard, one.generation, one.redelivered) for one in inbox.deliveries} == {(1, 1, False)}
    consumer.ack(1, inbox.deliveries)


def test_what_came_before_a_shard_was_given_up_cannot_be_acked_when_it_is_taken_again(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    """A group may be under way meanwhile; its delivery tags mean other messages on the new channel."""
    make_publisher(url).publish([message(1, b"first")], PATIENCE)
    before, after, last = Inbox(), Inbox(), Inbox()
    consumer = make_consumer(url)
    consumer.open(1, before)
    before.wait(1)
    consumer.close(1)
    consumer.open(1, after)
    after.wait(1)
    consumer.ack(1, before.deliveries)
    assert consumer.stale_acks == 1
    consumer.close(1)
    consumer.open(1, last)
    assert last.wait(1) == [b"first"]
    consumer.ack(1, last.deliveries)


def test_queues_are_counted_and_removed_also_when_they_are_empty(
    url: str, make_publisher: Callable[[str], Publisher]
) -> None:
    assert waiting(url, SHARDS) == 0
    make_publisher(url).publish([message(1, b"first")], PATIENCE)
    wait_until(lambda: waiting(url, SHARDS) == 1, message="it to be counted")
    remove(url, [2, 3])
    assert waiting(url, 2) == 1


def test_a_message_for_no_queue_is_an_error_not_a_loss(url: str, make_publisher: Callable[[str], Publisher]) -> None:
    publisher = make_publisher(url)
    with pytest.raises(Unroutable, match=f"1 of 2 not confirmed, first {INBOUND}/{SHARDS}"):
        publisher.publish([message(0, b"fine"), message(SHARDS, b"nowhere")], PATIENCE)
    publisher.publish([message(0, b"and on it goes")], PATIENCE)


def test_many_greenlets_share_one_publisher(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    publisher = make_publisher(url)

    def work(writer: int) -> None:
        for number in range(20):
            publisher.publish([message(2, b"%d:%d" % (writer, number))], PATIENCE)

    gevent.joinall([gevent.spawn(work, writer) for writer in range(50)], raise_error=True, timeout=PATIENCE)
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


@pytest.mark.parametrize("url", ["redis"], indirect=True)
def test_who_publishes_thousands_lets_others_between(url: str, make_publisher: Callable[[str], Publisher]) -> None:
    publisher, left = make_publisher(url), []
    publisher.publish([message(2, b"connected")], PATIENCE)
    many = gevent.spawn(publisher.publish, [message(2, b"%d" % number) for number in range(3000)], PATIENCE)
    gevent.sleep(0)  # it begins
    for _ in range(3):
        publisher.publish([message(3, b"one")], PATIENCE)
        left.append(many.ready())
    assert left == [False] * 3, "one waited for all the others"
    many.get(timeout=PATIENCE)


def test_a_large_body_passes(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    body = bytes(range(256)) * 16_000
    make_publisher(url).publish([message(3, body)] * 2, PATIENCE)
    inbox = Inbox()
    consumer = make_consumer(url)
    consumer.open(3, inbox)
    assert inbox.wait(2) == [body, body]
    consumer.ack(3, inbox.deliveries)


def test_unacked_messages_go_in_order_to_the_next_owner(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    make_publisher(url).publish([message(0, b"%d" % number) for number in range(300)], PATIENCE)
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
    wait_until(lambda: consumer.connected, message="the connection")
    assert consumer.depth(1) == 0
    make_publisher(url).publish([message(1, b"1"), message(1, b"2"), message(1, b"3", OUTBOUND)], PATIENCE)
    wait_until(lambda: consumer.depth(1) == 3, message="a depth of 3")


def test_a_queue_of_its_own_can_be_consumed(
    url: str, make_publisher: Callable[[str], Publisher], make_consumer: Callable[..., Consumer]
) -> None:
    make_publisher(url).publish([Outgoing("", WEBHOOK_ARCHIVE, b"raw", droppable=True)], PATIENCE)
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
    publisher.publish([message(2, b"once")], PATIENCE)
    inbox, again = Inbox(), Inbox()
    consumer = make_consumer(url)
    consumer.open(2, inbox)
    inbox.wait(1)
    consumer.ack(2, inbox.deliveries)
    consumer.ack(2, inbox.deliveries)
    assert consumer.stale_acks == 1
    consumer.close(2)
    consumer.open(2, again)
    publisher.publish([message(2, b"next")], PATIENCE)
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
    make_publisher(url).publish([message(3, b"1")], PATIENCE)
    wait_until(lambda: failed, message="on_failure")
    assert str(failed[0]) == "a mistake of ours"
