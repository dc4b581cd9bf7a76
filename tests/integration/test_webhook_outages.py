"""Web while PostgreSQL, the broker or Redis is away, and while it starts before they are there."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import gevent
import psycopg2
import pytest
import redis
import requests
from gevent.pool import Pool

from conf.loading import load_settings
from db.migrate import ShardCountError
from demo.stack import Postgres
from demo.stack.ports import HOST, free_port
from relay.broker.topology import declare
from relay.stores import keys
from tests import processes as processes_of
from tests.integration import webhook_world as world_of
from tests.integration.webhook_world import (
    APP_SECRET,
    World,
    agent_text,
    change,
    envelope,
    json_of,
    meta_signature,
    text,
)
from tests.processes import Process
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import PATIENCE, wait_until
from web.bootstrap import build_web

Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def world(settings_env: dict[str, str]) -> Iterator[World]:
    built = world_of.build(settings_env)
    built.arrivals.start()
    yield built
    built.arrivals.consumer.stop()
    world_of.close(built)


@pytest.fixture
def database_away(postgres_server: Postgres, postgres: str) -> Away:
    """A context in which this module's database takes nobody in."""
    name = postgres.rpartition("/")[2]

    @contextmanager
    def away() -> Iterator[None]:
        with closing(psycopg2.connect(postgres_server.url())) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("UPDATE pg_database SET datallowconn = false WHERE datname = %s", (name,))
            try:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
                yield
            finally:
                cursor.execute("UPDATE pg_database SET datallowconn = true WHERE datname = %s", (name,))

    return away


def post_for(world: World, *phone_number_ids: str) -> int:
    return world.meta(envelope(*(change(one, text("hello")) for one in phone_number_ids))).status_code


def test_without_postgresql_known_lines_go_on(world: World, database_away: Away) -> None:
    line, agents = world.line(), world.line()
    assert post_for(world, line.phone_number_id) == 200
    assert world.genesys(agent_text(agents.integration_id, "1"), agents.webhook_secret).status_code == 200
    posted = 1
    with database_away():
        deadline = time.monotonic() + 5  # longer than the memory of this process is fresh
        while time.monotonic() < deadline:
            assert post_for(world, line.phone_number_id) == 200
            posted += 1
            assert world.genesys(agent_text(agents.integration_id, "2"), agents.webhook_secret).status_code == 200
            gevent.sleep(0.5)
        ready = world.client.get("/health/ready")
        assert (ready.status_code, json_of(ready)["checks"]["database"]) == (200, "away")
    world.arrivals.of(line, posted)


def test_without_postgresql_a_fresh_worker_learns_from_redis(
    world: World, settings_env: dict[str, str], database_away: Away
) -> None:
    line = world.line()
    # For half a minute after a change nothing about the line is kept in Redis; this test does not wait for that.
    with redis.Redis.from_url(settings_env["REDIS_URL"]) as client:
        client.delete(keys.fence(keys.route("whatsapp", line.phone_number_id)))
    assert post_for(world, line.phone_number_id) == 200
    fresh = world_of.build(settings_env)
    try:
        with database_away():
            assert post_for(fresh, line.phone_number_id) == 200
    finally:
        world_of.close(fresh)
    world.arrivals.of(line, 2)


def test_without_postgresql_what_nobody_knows_has_to_be_repeated(world: World, database_away: Away) -> None:
    known, cold = world.line(), world.line()
    assert post_for(world, known.phone_number_id) == 200
    with database_away():
        answer = world.meta(envelope(change(cold.phone_number_id, text("x"))))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert set(json_of(answer)["error"]) == {"code", "message", "details", "request_id"}
        assert post_for(world, "123000321") == 503
        # The known line's item is not held up by the other one's, which has to be repeated.
        assert post_for(world, cold.phone_number_id, known.phone_number_id) == 503
        world.arrivals.of(known, 2)
        assert world.arrivals.none_of(cold)
    wait_until(lambda: post_for(world, cold.phone_number_id) == 200, message="the line to be found again", interval=0.3)
    wait_until(lambda: post_for(world, "123000321") == 200, message="the unknown number to be kept", interval=0.3)
    assert world.unknown("123000321")


def test_without_the_broker_the_provider_is_told_to_repeat(settings_env: dict[str, str], rabbitmq: RabbitMQ) -> None:
    host = f"away-{secrets.token_hex(4)}"
    env = settings_env | {"BROKER_URL": rabbitmq.create_virtual_host(host)}
    world = world_of.build(env)
    try:
        line = world.line()
        assert post_for(world, line.phone_number_id) == 200
        rabbitmq.delete_virtual_host(host)
        assert post_for(world, line.phone_number_id) == 503
        assert world.client.get("/health/ready").status_code == 503
        # It comes back empty: web declares its queues anew.
        rabbitmq.create_virtual_host(host)
        wait_until(lambda: post_for(world, line.phone_number_id) == 200, message="the broker to be found again")
        wait_until(lambda: world.client.get("/health/ready").status_code == 200, message="web to say that it is ready")
    finally:
        world_of.close(world)
        rabbitmq.delete_virtual_host(host)


def test_without_redis_everything_goes_on(settings_env: dict[str, str]) -> None:
    world = world_of.build(settings_env | {"REDIS_URL": f"redis://{HOST}:{free_port()}/0"})
    try:
        line = world.line()
        assert post_for(world, line.phone_number_id) == 200
        ready = world.client.get("/health/ready")
        assert (ready.status_code, json_of(ready)["checks"]["redis"]) == (200, "away")
    finally:
        world_of.close(world)


def test_web_starts_before_its_database(settings_env: dict[str, str], database_away: Away) -> None:
    with database_away():
        app = build_web(load_settings(settings_env))
        world = World(app, world_of.Arrivals(None, 0))  # type: ignore[arg-type]
        ready = world.client.get("/health/ready")
        assert (ready.status_code, json_of(ready)["waiting_for"]) == (503, ["shards", "version", "signers"])
        assert post_for(world, "1") == 503
    try:
        wait_until(lambda: world.client.get("/health/ready").status_code == 200, message="web to be ready")
        assert post_for(world, "1") == 200
    finally:
        world_of.close(world)


def test_another_number_of_shards_is_refused(settings_env: dict[str, str]) -> None:
    with pytest.raises(ShardCountError):
        build_web(load_settings(settings_env | {"RELAY_SHARDS": "17"}))


def test_over_redis_as_broker(settings_env: dict[str, str]) -> None:
    env = settings_env | {"BROKER_URL": settings_env["REDIS_URL"].rpartition("/")[0] + "/3"}
    declare(env["BROKER_URL"], 16)
    settings = load_settings(env)
    app = build_web(settings)
    world = World(app, world_of.Arrivals(world_of.Consumer(env["BROKER_URL"], 16, 100), 16))
    world.arrivals.start()
    try:
        line = world.line()
        assert post_for(world, line.phone_number_id) == 200
        assert len(world.arrivals.of(line, 1)) == 1
        assert world.client.get("/health/ready").status_code == 200
    finally:
        world.arrivals.consumer.stop()
        world_of.close(world)


def test_gunicorn_serves_it(
    world: World, settings_env: dict[str, str], processes: Callable[[Process], Process], logs: Path
) -> None:
    line = world.line()
    processes(processes_of.web(settings_env, logs, workers=2))
    url = f"http://{HOST}:{settings_env['WEB_PORT']}/webhook/meta"

    def post(n: int) -> requests.Response:
        raw = json.dumps(envelope(change(line.phone_number_id, text(f"{n}", f"49{n}")))).encode()
        # Sent in chunks: without a length in front.
        return requests.post(
            url, data=iter([raw[:10], raw[10:]]), headers=meta_signature(raw, APP_SECRET), timeout=PATIENCE
        )

    # Each may be as long as a body may be, for all web knows: a worker reads 32 of those at once.
    pool = Pool(30)
    jobs = [pool.spawn(post, n) for n in range(100)]
    gevent.joinall(jobs, raise_error=True, timeout=PATIENCE)
    assert {job.value.status_code for job in jobs} == {200}
    assert all(job.value.headers["X-Request-ID"] for job in jobs)
    assert len(world.arrivals.of(line, 100)) == 100
    assert requests.post(url, data=b"{}", timeout=PATIENCE).status_code == 401
    large = requests.post(url, data=b"x" * (5 * 1024 * 1024), headers=meta_signature(b"", APP_SECRET), timeout=PATIENCE)
    assert large.status_code == 413
    shown = requests.get(url.replace("/webhook/meta", "/metrics"), timeout=PATIENCE).text
    assert "web_webhooks_total" in shown
