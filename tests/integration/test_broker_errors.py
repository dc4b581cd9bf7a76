"""Every kind of trouble of RabbitMQ, at the real one: nothing is taken for confirmed, and all goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from amqp import exceptions
from kombu import Connection
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from relay.broker.consumer import Consumer
from relay.broker.errors import BrokerError, Kind, Nacked, Unroutable, kind_of
from relay.broker.publisher import Outgoing, Publisher
from relay.broker.topology import declare
from relay.core.queues import DEAD_LETTERS, INBOUND, queue_name
from tests.integration.brokers import SHARDS, Inbox, message
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import PATIENCE, wait_until

SHORTLY = 1.0
"""So long is published into trouble that lasts."""
ALARMS = {
    "memory": ("set_vm_memory_high_watermark", "0.0000001"),
    "disk": ("set_disk_free_limit", "1000000GB"),
}


@pytest.fixture
def host(rabbit_url: str) -> str:
    return rabbit_url.rpartition("/")[2]


@pytest.fixture
def publisher(rabbit_url: str) -> Iterator[Publisher]:
    with closing(Publisher(rabbit_url, prepare=lambda: declare(rabbit_url, SHARDS))) as made:
        made.publish([message(0, b"before")], PATIENCE)
        yield made


def cut_all(rabbitmq: RabbitMQ, host: str) -> None:
    rabbitmq.control("close_all_connections", "--vhost", host, "a test")


def counted(kind: str) -> float:
    return REGISTRY.get_sample_value("relay_broker_failures_total", {"kind": kind}) or 0.0


@pytest.mark.parametrize("alarm", ALARMS)
def test_while_it_is_short_of_something_nothing_is_confirmed_and_then_it_goes_on(
    rabbitmq: RabbitMQ, rabbit_url: str, publisher: Publisher, make_consumer: Callable[..., Consumer], alarm: str
) -> None:
    inbox = Inbox()
    make_consumer(rabbit_url).open(0, inbox)
    with rabbitmq.alarm(*ALARMS[alarm]):
        with pytest.raises(BrokerError):  # the first is what the broker answers with the alarm
            publisher.publish([message(0, b"first")], SHORTLY)
        wait_until(lambda: not publisher.connected, message="the publisher to know of it")
        with pytest.raises(BrokerError, match="free memory or disk") as blocked:
            publisher.publish([message(0, b"second")], SHORTLY)
        assert blocked.value.kind == "blocked"
    publisher.publish([message(0, b"after")], PATIENCE)
    wait_until(lambda: b"after" in [one.body for one in inbox.deliveries], message="what came after it")
    assert publisher.connected
    assert b"second" not in [one.body for one in inbox.deliveries], "it was told as not taken, and was never sent"


def test_a_queue_that_somebody_deleted_is_made_anew_for_those_who_publish_and_consume(
    rabbitmq: RabbitMQ, rabbit_url: str, host: str, publisher: Publisher
) -> None:
    inbox = Inbox()
    with closing(_Consuming(rabbit_url, inbox)):
        wait_until(lambda: inbox.deliveries, message="the consumer to work")
        rabbitmq.manage("DELETE", f"queues/{host}/{queue_name(INBOUND, 0)}")
        publisher.publish([message(0, b"after")], PATIENCE)
        wait_until(lambda: b"after" in [one.body for one in inbox.deliveries], message="it to arrive")


class _Consuming:
    def __init__(self, url: str, inbox: Inbox) -> None:
        self._consumer = Consumer(url, SHARDS, 10, prepare=lambda: declare(url, SHARDS))
        self._consumer.start()
        self._consumer.open(0, inbox)

    def close(self) -> None:
        self._consumer.stop()


def test_a_deleted_queue_that_nobody_consumes_is_made_anew_too(
    rabbitmq: RabbitMQ, host: str, publisher: Publisher
) -> None:
    rabbitmq.manage("DELETE", f"queues/{host}/{DEAD_LETTERS}")
    publisher.publish([Outgoing("", DEAD_LETTERS, b"letter")], PATIENCE)
    assert rabbitmq.manage("GET", f"queues/{host}/{DEAD_LETTERS}").json()["name"] == DEAD_LETTERS


def test_a_message_that_no_queue_will_ever_take_is_told_after_one_try_to_mend_that(publisher: Publisher) -> None:
    before = counted("unroutable")
    for _ in range(3):
        with pytest.raises(Unroutable):
            publisher.publish([message(99, b"nowhere")], PATIENCE)
    assert counted("unroutable") == before + 6


def test_a_permission_that_is_taken_away_and_given_back(rabbitmq: RabbitMQ, host: str, publisher: Publisher) -> None:
    rabbitmq.forbid(host)
    try:
        cut_all(rabbitmq, host)
        with capture_logs() as logs, pytest.raises(BrokerError) as refused:
            _until_refused(publisher)
        assert (refused.value.kind, "compare BROKER_URL" in str(refused.value)) == ("refused", True)
        assert len([one for one in logs if one["event"] == "publisher_disconnected"]) <= 2, "not with every try"
    finally:
        rabbitmq.permit(host)
    publisher.publish([message(0, b"after")], PATIENCE)


def _until_refused(publisher: Publisher) -> None:
    """What the broker knew of our rights it keeps for each channel, so the connection is cut first."""
    for _ in range(20):
        try:
            publisher.publish([message(0, b"x")], SHORTLY)
        except BrokerError as error:
            if error.kind == "refused":
                raise


def test_no_more_connections(rabbitmq: RabbitMQ, rabbit_url: str, host: str) -> None:
    rabbitmq.control("set_vhost_limits", "-p", host, '{"max-connections": 0}')
    with closing(Publisher(rabbit_url)) as publisher:
        with pytest.raises(BrokerError) as limited:
            publisher.publish([message(0, b"x")], 3.0)
        assert limited.value.kind == "exhausted"
        rabbitmq.control("clear_vhost_limits", "-p", host)
        publisher.publish([message(0, b"x")], PATIENCE)


def test_a_full_queue(rabbitmq: RabbitMQ, rabbit_url: str, host: str, publisher: Publisher) -> None:
    policy = {"pattern": f"^{DEAD_LETTERS}$", "definition": {"max-length": 1, "overflow": "reject-publish"}}
    rabbitmq.manage("PUT", f"policies/{host}/full", policy)
    with pytest.raises(Nacked) as full:
        _fill(publisher)
    assert full.value.kind == "nacked"
    with Connection(rabbit_url) as connection:
        channel = connection.channel()
        while (letter := channel.basic_get(DEAD_LETTERS)) is not None:
            channel.basic_ack(letter.delivery_tag)
    publisher.publish([Outgoing("", DEAD_LETTERS, b"letter")], PATIENCE)


def _fill(publisher: Publisher) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        publisher.publish([Outgoing("", DEAD_LETTERS, b"letter")], SHORTLY)


SAID: dict[str, tuple[BaseException | None, Kind]] = {
    "shut down, or its node": (
        exceptions.ConnectionForced("CONNECTION_FORCED - broker forced connection closure"),
        "unreachable",
    ),
    "its own fault": (exceptions.InternalError("INTERNAL_ERROR"), "internal"),
    "another's queue": (exceptions.ResourceLocked("RESOURCE_LOCKED - cannot obtain exclusive access"), "topology"),
    "other arguments": (exceptions.PreconditionFailed("PRECONDITION_FAILED - inequivalent arg"), "topology"),
    "no queue": (exceptions.NotFound("NOT_FOUND - no queue"), "unroutable"),
    "login": (exceptions.AccessRefused("ACCESS_REFUSED - Login was refused"), "refused"),
    "virtual host": (exceptions.NotAllowed("NOT_ALLOWED - vhost test not found"), "refused"),
    "channels": (exceptions.ResourceError("No free channel ids"), "exhausted"),
    "too large": (exceptions.ContentTooLarge("CONTENT_TOO_LARGE"), "exhausted"),
    "silence": (TimeoutError("nothing heard"), "timeout"),
    "cut": (ConnectionResetError("Connection reset by peer"), "unreachable"),
    "closed": (None, "unreachable"),
}


@pytest.mark.parametrize("what", SAID)
def test_what_cannot_be_provoked_is_judged_by_what_the_broker_says(what: str) -> None:
    error, kind = SAID[what]
    assert kind_of(error) == kind
