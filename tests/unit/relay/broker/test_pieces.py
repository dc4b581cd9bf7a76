"""The broker's pieces that need no broker."""

from __future__ import annotations

import pytest

from relay.broker.confirms import Publication
from relay.broker.connect import Backoff, is_redis
from relay.broker.envelopes import Outgoing
from relay.broker.errors import BrokerError, Nacked, Unroutable, describe
from relay.core.errors import StoreError


def test_pauses_grow_to_their_limit_and_start_over() -> None:
    backoff = Backoff(0.1, 1.0)
    pauses = [backoff.pause() for _ in range(10)]
    for expected, pause in zip([0.1, 0.2, 0.4, 0.8, 1, 1, 1, 1, 1, 1], pauses, strict=True):
        assert expected / 2 <= pause <= expected
    backoff.reset()
    assert backoff.pause() <= 0.1


def test_a_batch_is_done_when_all_of_it_is_resolved() -> None:
    batch = Publication()
    items = [batch.add(Outgoing("x", str(n), b"")) for n in range(3)]
    items[1].error = Unroutable("no queue")
    items[0].resolve()
    items[1].resolve()
    assert not batch.done.is_set()
    items[2].resolve(Nacked("full"))
    assert batch.done.is_set()
    assert [(one.routing_key, type(error)) for one, error in batch.failures] == [("1", Unroutable), ("2", Nacked)]


def test_the_brokers_troubles_are_a_stores_troubles() -> None:
    assert issubclass(BrokerError, StoreError)
    assert describe(None) == "closed"
    assert describe(OSError("no route")) == "OSError: no route"


@pytest.mark.parametrize(("url", "expected"), [("redis://x", True), ("rediss://x", True), ("amqp://redis", False)])
def test_which_broker_a_url_means(url: str, expected: bool) -> None:
    assert is_redis(url) is expected


def test_a_body_stays_out_of_logs() -> None:
    assert "personal" not in repr(Outgoing("x", "1", b"personal"))
