"""The dashboard's figures, and the counting of hours that they are read from."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from db.pool import Pool
from db.views import figures, hours, overview
from db.views.figures import DeliveryRate, TimeZoneError, hour_of
from relay.actors.hours import HoursActor
from relay.runtime.actor import Ping
from tests.integration.told import World
from tests.services.emptying import empty
from tests.waiting import PATIENCE

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
LONGEST_TEST = 30.0
"""Seconds."""


@pytest.fixture
def now() -> datetime:
    """A moment after which no hour ends for long enough, nor a day of any zone: what is over must not change."""
    left = (QUARTER - (datetime.now(UTC) - hour_of(datetime.now(UTC))) % QUARTER).total_seconds()
    if left < LONGEST_TEST:
        time.sleep(left + 0.1)
    return datetime.now(UTC)


@pytest.fixture
def world(pool: Pool) -> World:
    with pool.transaction() as cursor:
        empty(cursor, "tenants", "message_tracking", "message_hours")
        cursor.execute("DELETE FROM relay_settings WHERE name LIKE 'hours%'")
    return World(pool)


def counted(world: World) -> dict[tuple[datetime, str], tuple[int, ...]]:
    with world.pool.transaction() as cursor:
        cursor.execute("SELECT hour, direction, total, sent, delivered, failed FROM message_hours")
        return {(row[0], row[1]): tuple(row[2:]) for row in cursor.fetchall()}


def delivered(world: World, at: datetime, **columns: Any) -> str:
    return world.message(
        world.contact(), at, direction="outbound", state="delivered", sent_at=at + timedelta(seconds=1),
        delivered_at=at + timedelta(seconds=3), **columns,
    )  # fmt: skip


def test_hours_that_are_over_are_counted_once_and_the_last_two_are_left(world: World, now: datetime) -> None:
    last = hour_of(now)
    for ago in (0, 1, 2, 3, 50):
        delivered(world, last - HOUR * ago + timedelta(seconds=1))
    world.message(world.contact(), last - HOUR * 2, state="failed")
    world.message(world.contact(), last - HOUR * 2 + timedelta(minutes=59, seconds=59.9), state="ignored")
    while hours.count_due(world.pool):
        pass
    assert counted(world) == {
        (last - HOUR * 2, "outbound"): (1, 1, 1, 0),
        (last - HOUR * 2, "inbound"): (1, 0, 0, 1),
        (last - HOUR * 3, "outbound"): (1, 1, 1, 0),
        (last - HOUR * 50, "outbound"): (1, 1, 1, 0),
    }


def test_an_hour_is_counted_again_when_its_receipts_have_come(world: World, now: datetime) -> None:
    hour = hour_of(now) - HOUR * 12
    message_id = world.message(world.contact(), hour, direction="outbound", state="sent", sent_at=hour)
    while hours.count_due(world.pool):
        pass
    assert counted(world) == {(hour, "outbound"): (1, 1, 0, 0)}
    world.change(
        "UPDATE message_tracking SET state = 'read', delivered_at = now(), read_at = now() WHERE id = %s::uuid",
        message_id,
    )
    world.change("UPDATE relay_settings SET value = %s WHERE name = 'hours_counted_8'", str(hour))
    while hours.count_due(world.pool):
        pass
    assert counted(world) == {(hour, "outbound"): (1, 1, 1, 0)}


def test_a_slice_is_bounded_and_one_daemon_counts_at_a_time(world: World, now: datetime) -> None:
    delivered(world, hour_of(now) - HOUR * 40)
    assert hours.count_due(world.pool, most=7) == 7
    with world.pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM relay_settings WHERE name LIKE 'hours%' FOR UPDATE")
        assert hours.count_due(world.pool) == 0
    assert hours.count_due(world.pool) > 0


def test_the_daemons_actor_counts_and_looks_again_at_once_while_more_is_due(world: World, now: datetime) -> None:
    delivered(world, hour_of(now) - HOUR * 40)
    asked: list[float] = []
    parts: Any = SimpleNamespace(
        pool=world.pool, timers=SimpleNamespace(after=lambda seconds, ref, command: asked.append(seconds))
    )
    actor = HoursActor.start(parts)
    actor.ask(Ping(), timeout=PATIENCE)
    actor.stop()
    assert (hour_of(now) - HOUR * 40, "outbound") in counted(world)
    assert asked == [1.0]


def test_conversations_are_counted_up_to_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        world.contact(f"491520000000{number}")
    monkeypatch.setattr(figures, "MOST", 2)
    found = figures.dashboard(world.pool, world.tenant_id)
    assert (found.conversations, found.most) == (2, 2)
    assert found.active <= 2


@pytest.mark.parametrize("limited", [False, True])
def test_the_dashboard_is_the_same_with_hours_counted_and_without(world: World, limited: bool, now: datetime) -> None:
    last = hour_of(now)
    for ago in range(1, 30, 2):
        delivered(world, last - HOUR * ago)
    world.message(world.contact("4915200000001"), last - HOUR * 5, state="dead")
    pool = world.pool.of_tenant(world.tenant_id) if limited else world.pool
    live = figures.dashboard(pool, world.tenant_id)
    while hours.count_due(world.pool):
        pass
    assert counted(world)
    found = figures.dashboard(pool, world.tenant_id)
    assert (found.hours, found.rates) == (live.hours, live.rates)
    assert found.rates == {"inbound": DeliveryRate(1, 0, 0, 1), "outbound": DeliveryRate(12, 12, 12, 0)}
    assert (found.rates["outbound"].delivered_share, found.rates["inbound"].failed_share) == (1.0, 1.0)
    assert [slot.start for slot in found.hours] == [last - HOUR * ago for ago in reversed(range(24))]
    assert sum(day.outbound.total for day in found.days) == 15
    assert (found.conversations, found.active) == (2, 2)
    speed = found.speeds["outbound"]
    assert (speed.count, speed.sent_p50, speed.sent_p95, speed.delivered_p95) == (15, 1.0, 1.0, 3.0)
    assert found.speeds["inbound"].sent_p50 is None


@pytest.mark.parametrize("tz", ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"])
def test_today_begins_at_midnight_of_the_zone(world: World, tz: str, now: datetime) -> None:
    zone = figures._zone(tz)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    world.message(world.contact(), midnight - timedelta(seconds=1))
    world.message(world.contact(), midnight)
    world.message(world.contact(), now)
    found = figures.dashboard(world.pool, world.tenant_id, tz)
    assert found.today == {"inbound": DeliveryRate(2), "outbound": DeliveryRate()}
    assert [day.start for day in found.days[-2:]] == [midnight - timedelta(days=1), midnight]


@pytest.mark.parametrize("tz", ["", "Nowhere/Land", "../../etc/passwd", "a" * 5000, "\x00"])
def test_a_zone_that_is_none_is_refused(world: World, tz: str) -> None:
    with pytest.raises(TimeZoneError):
        figures.dashboard(world.pool, world.tenant_id, tz)


def test_the_operator_sees_the_totals_of_all_and_a_page_of_tenants(world: World, now: datetime) -> None:
    other = World(world.pool)
    last = hour_of(now)
    delivered(world, last)
    for ago in (0, 1, 5):
        delivered(other, last - HOUR * ago)
    waits = other.message(other.contact(), now - timedelta(minutes=10), state="received")
    while hours.count_due(world.pool):
        pass
    found = overview.overview(world.pool)
    assert found.messages["outbound"] == DeliveryRate(4, 4, 4, 0)
    assert found.messages["inbound"].total == 1
    assert (found.tenants, found.lines, found.active) == ({"active": 2}, 2, 2)
    first = overview.tenants(world.pool, 1)
    second = overview.tenants(world.pool, 1, first.next)
    assert second.next is None
    [mine], [theirs] = first.items, second.items
    assert (mine.messages_24h, theirs.messages_24h) == (1, 4)
    assert (mine.id, mine.waiting, mine.trouble) == (world.tenant_id, 0, None)
    assert (theirs.id, theirs.waiting, theirs.trouble) == (other.tenant_id, 1, "1 waiting, the oldest for 10 minutes")
    assert waits
