"""Web tells how long nobody took webhooks, and what it refused for long, so that agents' messages are asked for."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import pytest

from db.pool import Pool
from db.tenants import catch_ups
from relay.core import catch_up
from relay.stores.series import SharedSeries
from tests.integration import webhook_world as world_of
from tests.integration.rows import new_line
from tests.integration.webhook_world import agent_text
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import wait_until
from web.webhooks.absence import Absence
from web.webhooks.budget import LARGE_BYTES, OverShareError


def mark(pool: Pool) -> str | None:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT value FROM relay_settings WHERE name = %s", (catch_ups.MARK,))
        row = cursor.fetchone()
    return row[0] if row else None


def older(pool: Pool, seconds: float) -> None:
    """As if nobody had moved the mark on for so long."""
    with pool.transaction() as cursor:
        cursor.execute(
            "UPDATE relay_settings SET value = (value::timestamptz - make_interval(secs => %s))::text WHERE name = %s",
            (seconds, catch_ups.MARK),
        )


def test_the_mark_moves_on_only_while_webhooks_are_taken(settings_env: dict[str, str]) -> None:
    with Pool(settings_env["DATABASE_URL"]) as pool:
        takes = [True]
        absence = Absence(pool, lambda: takes[0], SharedSeries(settings_env["REDIS_URL"]))
        absence.look()
        older(pool, 10)
        before = mark(pool)
        takes[0] = False
        absence.look()
        assert mark(pool) == before
        takes[0] = True
        absence.look()
        assert mark(pool) != before


def test_a_worker_that_lives_a_moment_leaves_its_mark(
    settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_ups, "BEAT_SECONDS", 3600.0)
    with Pool(settings_env["DATABASE_URL"]) as pool:
        with pool.transaction() as cursor:
            cursor.execute("DELETE FROM relay_settings WHERE name = %s", (catch_ups.MARK,))
        takes = [False]
        absence = Absence(pool, lambda: takes[0], SharedSeries(settings_env["REDIS_URL"]))
        absence.start()
        takes[0] = True
        wait_until(lambda: mark(pool) is not None, message="the first mark")
        absence.stop()


def test_what_several_workers_refused_of_a_line_counts_together(
    settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Genesys' repeats came to both, and each took something else between."""
    now = [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("web.webhooks.absence.time", clock)
    with Pool(settings_env["DATABASE_URL"]) as pool:
        line, other = new_line(pool), new_line(pool)
        with pool.transaction() as cursor:
            cursor.execute(
                """UPDATE lines SET status = 'active', phone_number_id = id::text, integration_id = id::text
                   WHERE id IN (%s, %s)""",
                (line, other),
            )
        workers = [Absence(pool, lambda: True, SharedSeries(settings_env["REDIS_URL"])) for _ in range(2)]
        workers[0].refused(line)
        workers[0].taken(other)
        now[0] += catch_up.GAP_SECONDS + 1
        workers[0].look()
        assert catch_ups.of_line(pool, line) is None, "one refusal alone: its repeat may have been taken"
        workers[1].refused(line)
        workers[1].taken(other)
        workers[1].look()
        wanted = catch_ups.of_line(pool, line)
        assert wanted is not None
        assert wanted.reason == "absence"
        assert catch_ups.of_line(pool, other) is None


def test_after_refusing_a_line_for_long_that_line_alone_is_caught_up_with(
    settings_env: dict[str, str], rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker lives all the time, and moves the mark on; half a minute is made a moment for this test."""
    monkeypatch.setattr(catch_up, "GAP_SECONDS", 0.0)
    host = f"away-{secrets.token_hex(4)}"
    world = world_of.build(settings_env | {"BROKER_URL": rabbitmq.create_virtual_host(host)})
    world.parts.absence.stop()  # the test looks itself
    try:
        line, other = world.line(), world.line()
        path = f"/webhook/genesys/{line.line_key}"
        world.parts.absence.look()
        assert world.genesys(agent_text(line.integration_id, "1"), line.webhook_secret, path).status_code == 200
        world.parts.absence.look()
        assert catch_ups.of_line(world.parts.pool, line.line_id) is None, "nothing was refused"
        rabbitmq.delete_virtual_host(host)
        assert world.genesys(agent_text(line.integration_id, "2"), line.webhook_secret, path).status_code == 503
        rabbitmq.create_virtual_host(host)
        wait_until(
            lambda: world.genesys(agent_text(line.integration_id, "3"), line.webhook_secret, path).status_code == 200,
            message="the broker to be found again",
        )
        world.parts.absence.look()
        wanted = catch_ups.of_line(world.parts.pool, line.line_id)
        assert wanted is not None
        assert (wanted.reason, wanted.due_at is not None) == ("absence", True)
        assert catch_ups.of_line(world.parts.pool, other.line_id) is None
    finally:
        world_of.close(world)
        rabbitmq.delete_virtual_host(host)


def test_who_takes_more_than_a_share_has_nothing_caught_up_with(
    settings_env: dict[str, str], rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can be refused for that whenever they like, on any address, and before their proof."""
    monkeypatch.setattr(catch_up, "GAP_SECONDS", 0.0)
    host = f"share-{secrets.token_hex(4)}"
    world = world_of.build(settings_env | {"BROKER_URL": rabbitmq.create_virtual_host(host)})
    world.parts.absence.stop()
    try:
        line = world.line()
        world.parts.absence.look()
        large = agent_text(line.integration_id, "x" * (LARGE_BYTES + 1))
        with ExitStack() as others:
            with suppress(OverShareError):
                while True:
                    others.enter_context(world.parts.large_bodies.reading(None))
            for path in ("/webhook/genesys", f"/webhook/genesys/{line.line_key}"):
                assert world.genesys(large, "nobody's secret", path).status_code == 503
        world.parts.absence.look()
        assert catch_ups.of_line(world.parts.pool, line.line_id) is None
    finally:
        world_of.close(world)
        rabbitmq.delete_virtual_host(host)
