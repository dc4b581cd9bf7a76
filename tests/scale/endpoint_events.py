"""`make events`: 10,000 events to an endpoint that fails half the time, and what events cost the messages."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from db.mailbox import claims
from db.pool import Pool
from relay.core.mailbox import Attempt
from tests.integration.endpoint_world import EndpointWorld, telling
from tests.integration.rows import NOW, new_message
from tests.unit.relay.channels.servers import serving
from tests.waiting import wait_until

GROUP = 200
ROUNDS = 5


@pytest.fixture
def pool(postgres: str) -> Iterator[Pool]:
    with Pool(postgres, size=5) as pool:
        yield pool


def test_10_000_events_are_told_in_order_by_an_endpoint_that_fails_half_the_time(pool: Pool) -> None:
    world = EndpointWorld(pool)
    with serving(world.half(seed=7)) as served:
        world.endpoint(f"{served.url}/in")
        events = world.happen(conversations=500, messages=5)
        began = time.monotonic()
        with telling(pool, served.url):
            wait_until(lambda: world.states() == {"delivered": events}, 1800, "all to be told", interval=1.0)
    seconds = time.monotonic() - began
    repeats = len(world.told) - events
    print(f"\n{events} events, {world.posts} posts, {repeats} repeats, {seconds:.0f} s")
    assert events == 10_000
    world.assert_all_in_order()


def test_what_events_cost_the_statements_of_messages(pool: Pool) -> None:
    """The statements are the same ones, with events and without; what they take is printed."""
    without, told = EndpointWorld(pool), EndpointWorld(pool)
    told.endpoint("https://hooks.shop.example/in")
    print()
    for name, world in (("off", without), ("on", told), ("off", without), ("on", told)):
        best = min(_sent_group(pool, world) for _ in range(ROUNDS))
        print(f"events {name}: a group of {GROUP} messages is recorded as sent in {best * 1000:.1f} ms")


def _sent_group(pool: Pool, world: EndpointWorld) -> float:
    rows = [new_message(pool, world.line_id) for _ in range(GROUP)]
    sent = [Attempt(row.id, row.line_id, 1, "sent", NOW, f"p-{row.id}") for row in rows]
    with pool.transaction() as cursor:
        claims.lock(cursor, [row.id for row in rows])
        claims.record_attempts(cursor, sent)
        began = time.monotonic()
        claims.record_sent(cursor, sent)
        return time.monotonic() - began
