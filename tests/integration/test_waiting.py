"""Why a message, a line, a tenant waits: told from the rows, in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg2.extras import Json

from db.daemons import shards
from db.pool import Pool
from db.views import line_health, overview, waiting
from relay.core.explain.reasons import Terms, WaitReason, duration
from relay.core.limits import Rates
from tests.integration.told import World

NOW = datetime.now(UTC)
EMPTY = Terms(Rates(genesys_per_minute=300, whatsapp_per_second=80), peek=lambda _: 0.0)
FULL = Terms(EMPTY.rates, peek=lambda rate: rate.burst)


@pytest.fixture
def world(pool: Pool) -> World:
    daemon_id = str(uuid4())
    with pool.transaction() as cursor:
        cursor.execute("TRUNCATE daemons")
        shards.renew(cursor, daemon_id, "test", 600)
        shards.take(cursor, daemon_id, 16)
    return World(pool)


def why(world: World, message_id: str, terms: Terms = FULL) -> WaitReason:
    found = waiting.of_message(world.pool.of_tenant(world.tenant_id), world.tenant_id, message_id, terms)
    assert found is not None
    as_owner = waiting.of_message(world.pool, None, message_id, terms)
    assert as_owner is not None and (as_owner.kind, as_owner.text) == (found.kind, found.text)
    return found


def no_daemon(world: World, _: str) -> None:
    world.change("UPDATE daemons SET lease_until = now() - interval '1 minute'")


def orphaned(world: World, _: str) -> None:
    world.change("UPDATE shards SET owner = NULL")


def changed(statement: str) -> Callable[[World, str], None]:
    return lambda world, message_id: world.change(statement, *([world.tenant_id] * statement.count("%s")))


def row(**columns: Any) -> Callable[[World, str], None]:
    def change(world: World, message_id: str) -> None:
        if not columns:
            return
        assignments = ", ".join(f"{name} = %s" for name in columns)
        world.change(f"UPDATE message_tracking SET {assignments} WHERE id = %s::uuid", *columns.values(), message_id)

    return change


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (row(), "soon", "the next of its conversation"),
        (row(arrived_at=NOW + timedelta(days=1)), "hold", "held for a moment"),
        (changed("UPDATE tenants SET status = 'paused' WHERE id = %s"), "paused", "the tenant is paused"),
        (
            changed("UPDATE lines SET status = 'refused', status_reason = 'not yours' WHERE tenant_id = %s"),
            "line_inactive", "not yours",
        ),
        (no_daemon, "no_daemon", "no daemon of the relay is running"),
        (orphaned, "no_daemon", "taken over"),
        (
            changed(
                "UPDATE tenant_credentials SET health = 'refused', health_reason = 'token expired' "
                "WHERE type = 'genesys' AND tenant_id = %s"
            ),
            "credentials", "Genesys refuses the credentials (token expired)",
        ),
        (row(state="sending", attempts=2), "sending", "delivery attempt 2 to Genesys"),
        (
            row(state="unknown", attempts=1, reason_code="timeout", unknown_until=NOW),
            "unknown", "reached Genesys (timeout)",
        ),
        (
            row(attempts=3, next_attempt_at=NOW + timedelta(days=1), reason_code="500", reason="internal"),
            "backoff", "delivery attempt 3 to Genesys failed (500: internal); the next follows in 24 hours",
        ),
        (row(content=Json({"media": {"kind": "image", "object_key": None}})), "file", "fetched from WhatsApp"),
        (row(attempts=1, reason_code="500", reason="internal"), "backoff", "failed (500: internal); it waits"),
        (row(state="sent", report="failed"), "report", "failed"),
    ],
)  # fmt: skip
def test_a_message_waits_for_what_its_row_and_its_line_say(
    world: World, trouble: Callable[[World, str], None], kind: str, words: str
) -> None:
    now = datetime.now(UTC)
    message_id = world.message(world.contact(), now - timedelta(minutes=1), state="received")
    trouble(world, message_id)
    found = why(world, message_id)
    assert (found.kind, words in found.text) == (kind, True), found


def test_redis_is_asked_outside_of_the_transaction(world: World) -> None:
    """With a single connection, which a transaction would hold."""
    busy: list[bool] = []

    def peek(rate: object) -> float:
        busy.append(world.pool._slots.counter < free)
        return 0.0

    free = world.pool._slots.counter
    first = world.message(world.contact(), NOW - timedelta(minutes=2), state="received")
    assert waiting.of_message(world.pool, world.tenant_id, first, Terms(EMPTY.rates, peek=peek))
    assert busy and not any(busy)


def test_a_finished_message_waits_for_nothing(world: World) -> None:
    message_id = world.message(world.contact(), state="read")
    assert waiting.of_message(world.pool, world.tenant_id, message_id, FULL) is None
    assert waiting.of_message(world.pool, world.tenant_id, str(uuid4()), FULL) is None


def test_behind_an_earlier_message_it_says_whose_trouble_it_is(world: World) -> None:
    now = datetime.now(UTC)
    contact = world.contact()
    until = now + timedelta(minutes=5)
    first = world.message(
        contact, now - timedelta(minutes=2), state="received", attempts=1, claimed_at=now, next_attempt_at=until,
        reason_code="429",
    )  # fmt: skip
    second = world.message(contact, now - timedelta(minutes=1), state="received")
    # Sorted before a message that was claimed, but it does not overtake it.
    late = world.message(contact, now - timedelta(minutes=3), state="received")
    other_way = world.message(contact, now - timedelta(minutes=1), direction="outbound", state="received")
    for message_id in (second, late):
        found = why(world, message_id)
        assert (found.kind, found.message_id, found.until) == ("earlier", first, until)
        assert "429" in found.text
    assert why(world, other_way).kind == "soon"


def test_a_used_up_rate_is_named_with_the_time_it_takes(world: World) -> None:
    now = datetime.now(UTC)
    last = ""
    for n in range(120):
        at = now - timedelta(seconds=240 - n)
        last = world.message(world.contact(f"49150{n:08}"), at, state="received")
    [queue] = waiting.of_tenant(world.pool, world.tenant_id, EMPTY)
    assert (queue.side, queue.count, queue.more) == ("genesys", 120, False)
    assert queue.why is not None
    assert (queue.why.kind, queue.why.estimate) == ("rate", True)
    assert queue.why.text == "limited by Genesys' 300 a minute; clears in about 24 seconds"
    assert why(world, last, EMPTY).text == queue.why.text
    assert why(world, last, FULL).kind == "soon"
    # While Redis is away only what goes through elsewhere shows that it is not something else.
    [queue] = waiting.of_tenant(world.pool, world.tenant_id, Terms())
    assert queue.why is not None and queue.why.kind == "soon"
    world.message(world.contact(), now - timedelta(minutes=5), sent_at=datetime.now(UTC))
    [queue] = waiting.of_tenant(world.pool, world.tenant_id, Terms())
    assert queue.why is not None and queue.why.kind == "rate"


def test_a_side_that_fails_is_in_trouble_until_something_goes_through(world: World) -> None:
    now = datetime.now(UTC)
    contact = world.contact()
    world.message(
        contact, now - timedelta(minutes=1), direction="outbound", state="received", attempts=4,
        claimed_at=now - timedelta(seconds=30), reason_code="503", reason="down",
    )  # fmt: skip
    world.message(world.contact("4915200000001"), now - timedelta(seconds=50), direction="outbound", state="received")
    [queue] = waiting.of_tenant(world.pool, world.tenant_id, EMPTY)
    assert queue.why is not None
    assert (queue.why.kind, queue.count) == ("trouble", 2)
    assert "the last call to WhatsApp failed (503: down)" in queue.why.text
    [health] = line_health.of_tenant(world.pool.of_tenant(world.tenant_id), world.tenant_id, EMPTY)
    assert health.status == "trouble" and "503: down" in health.text
    world.message(world.contact("4915200000002"), now, direction="outbound", sent_at=now)
    [queue] = waiting.of_tenant(world.pool, world.tenant_id, FULL)
    assert queue.why is not None and queue.why.kind != "trouble"


def test_the_health_of_a_line_is_told_also_while_nothing_waits(world: World) -> None:
    def health() -> tuple[str, str]:
        [found] = line_health.of_tenant(world.pool.of_tenant(world.tenant_id), world.tenant_id, FULL)
        return found.status, found.text

    assert health() == ("ok", "nothing waits")
    world.change(
        """UPDATE tenant_credentials SET health = 'refused', health_reason = 'expired'
           WHERE tenant_id = %s AND type = 'whatsapp'""",
        world.tenant_id,
    )  # fmt: skip
    assert health() == ("stopped", "WhatsApp refuses the credentials (expired); enter valid ones, everything is kept")
    [mine] = [one for one in overview.tenants(world.pool, 200).items if one.id == world.tenant_id]
    assert mine.trouble == "WhatsApp refuses the credentials"
    world.change("UPDATE tenants SET status = 'paused' WHERE id = %s", world.tenant_id)
    assert health() == ("stopped", "the tenant is paused")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 second"),
        (5, "5 seconds"),
        (89, "89 seconds"),
        (100, "2 minutes"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
    ],
)  # fmt: skip
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
