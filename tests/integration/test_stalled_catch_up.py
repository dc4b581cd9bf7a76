"""A line that cannot be caught up with now makes room for others: with a real PostgreSQL and a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from db.contacts import conversations
from db.tenants import catch_ups
from relay.actors import line_catch_up
from relay.actors.line_catch_up import TAKEN_SECONDS, LineCatchUp, LineCaughtUp
from relay.core.catch_up import LOOK_AGAIN_SECONDS, CatchUp
from relay.core.limits import Rates, rate_of
from relay.runtime.context import Limits
from relay.runtime.timers import Timers
from tests.integration import webhook_world as world_of
from tests.integration.rows import new_message
from tests.integration.webhook_world import BY, World
from tests.unit.relay.actors.listening import Listener
from tests.waiting import wait_until

RATES = Rates(300.0, 80.0)


@pytest.fixture
def world(settings_env: dict[str, str]) -> Iterator[World]:
    made = world_of.build(settings_env)
    made.parts.absence.stop()
    yield made
    world_of.close(made)


@pytest.fixture
def timers() -> Iterator[Timers]:
    made, failed = Timers(), list[BaseException]()
    made.start(failed.append)
    yield made
    made.stop()
    assert not failed


def test_a_run_without_a_call_to_spare_for_long_ends_and_begins_anew_later(
    world: World, timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_catch_up, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(line_catch_up, "LONGEST_WAIT", 0.1)
    parts, line = world.parts, world.line()
    known = new_message(parts.pool, line.line_id)
    with parts.pool.transaction() as cursor:
        conversations.see_genesys_conversations(cursor, [(known.conversation_id, "g1")])
    changes = world_of.Changes(parts.pool, parts.cache.forget_routes)
    catch_ups.want(changes, BY, line.tenant_id, line.line_id, 3600.0)
    [due] = catch_ups.take_due(parts.pool, TAKEN_SECONDS, 1)
    parts.bucket.penalise(rate_of("genesys", line.tenant_id, "c", {}, RATES).key, 300.0)
    heard = list[LineCaughtUp]()
    boss = Listener.start(heard)
    own: Any = SimpleNamespace(
        pool=parts.pool, cipher=parts.cipher, channels=parts.channels, bucket=parts.bucket, timers=timers,
        limits=Limits(1, 5.0, 60.0, RATES.genesys_per_minute, RATES.whatsapp_per_second, 3600, 3600),
    )  # fmt: skip
    LineCatchUp.start(own, due, boss)
    try:
        standing = wait_until(lambda: _ended(world, line.line_id), message="the run to end")
        assert standing is not None
        assert standing.outcome == "incomplete"
        assert standing.due_at is not None, "it begins anew"
        assert standing.due_at.timestamp() - time.time() == pytest.approx(LOOK_AGAIN_SECONDS, abs=60)
        wait_until(lambda: heard == [LineCaughtUp(line.line_id)], message="its place to be free")
    finally:
        boss.stop()


def _ended(world: World, line_id: str) -> CatchUp | None:
    found = catch_ups.of_line(world.parts.pool, line_id)
    return found if found is not None and found.ended_at is not None else None
