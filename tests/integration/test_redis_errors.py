"""What kind of trouble each error of Redis is, at the real server: it costs speed, and no more of it than it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args
from uuid import uuid4

import gevent
import pytest
import redis
from cryptography.fernet import Fernet
from prometheus_client import REGISTRY
from redis import exceptions
from structlog.testing import capture_logs

from db.sealing import Cipher
from demo.stack import Redis
from demo.stack.ports import free_port
from demo.stack.services import running
from relay.stores import connection, keys
from relay.stores.cache import Cache
from relay.stores.limits import Granted, TokenBucket
from relay.stores.redis_errors import ADVICE, Kind, kind_of
from tests.waiting import wait_until

ROUTE, OTHER = keys.route("whatsapp", "1"), keys.route("whatsapp", "2")
KEPT = {"tenant": "one"}
NOTHING = 0.001
"""Permits a second: none comes back while a test lasts."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One of this module's own: it is filled, made a replica, and locked."""
    folder: Path = tmp_path_factory.mktemp("redis")
    with running(Redis(folder, folder)) as server:
        yield server


@pytest.fixture
def admin(server: Redis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url()) as client:
        yield client


@pytest.fixture
def cache(server: Redis, admin: redis.Redis) -> Iterator[Cache]:
    admin.flushall()
    made = Cache(server.url(), Cipher([Fernet.generate_key().decode()]))
    made.remember(ROUTE, KEPT, 600)
    yield made
    made.close()


@pytest.fixture
def bucket(server: Redis) -> Iterator[TokenBucket]:
    made = TokenBucket(server.url())
    yield made
    made.close()


@contextmanager
def trouble(kind: str) -> Iterator[None]:
    """What is within meets it, and nothing else."""

    def counted() -> dict[str, float]:
        samples = next(iter(connection.FAILURES.collect())).samples
        return {one.labels["kind"]: one.value for one in samples if one.name.endswith("_total")}

    before = counted()
    yield
    after = counted()
    assert {one for one in after if after[one] != before.get(one, 0.0)} == {kind}


@contextmanager
def configured(admin: redis.Redis, **settings: str) -> Iterator[None]:
    names = {name: name.replace("_", "-") for name in settings}
    before = {name: str(admin.config_get(name)[name]) for name in names.values()}
    for name, value in settings.items():
        admin.config_set(names[name], value)
    try:
        yield
    finally:
        for name, value in before.items():
            admin.config_set(name, value)


@contextmanager
def replica_of_nobody(admin: redis.Redis) -> Iterator[None]:
    """As after a fail-over: the primary of before follows another server, here one that is not there."""
    admin.execute_command("REPLICAOF", "127.0.0.1", free_port())
    try:
        yield
    finally:
        admin.execute_command("REPLICAOF", "NO", "ONE")


def test_when_it_is_full_what_is_there_is_read_and_dropped_and_limits_are_ones_own(
    cache: Cache, bucket: TokenBucket, admin: redis.Redis
) -> None:
    key = uuid4().hex
    with configured(admin, maxmemory="1"), trouble("full"):
        cache.remember(OTHER, KEPT, 600)
        assert (cache.recall(OTHER), cache.recall(ROUTE)) == (None, KEPT)
        assert bucket.take(key, NOTHING, 3, 2) == Granted(2, 0.0)
        assert bucket.take(key, NOTHING, 3, 2).count == 1, "what was taken meanwhile counts"
        cache.forget([ROUTE])
        assert cache.recall(ROUTE) is None, "a change is not hidden by what was kept before it"


def test_a_replica_is_read_and_what_it_does_not_write_is_not_waited_for(
    cache: Cache, bucket: TokenBucket, admin: redis.Redis
) -> None:
    with replica_of_nobody(admin), trouble("read_only"):
        cache.remember(OTHER, KEPT, 600)
        assert (cache.recall(OTHER), cache.recall(ROUTE)) == (None, KEPT)
        assert bucket.take(uuid4().hex, NOTHING, 3, 2).count == 2


def test_connections_from_before_it_was_a_replica_are_not_used_again(cache: Cache, admin: redis.Redis) -> None:
    def connected() -> set[str]:
        return {one["id"] for one in admin.client_list() if one["id"] != str(admin.client_id())}

    before = connected()
    with replica_of_nobody(admin):
        cache.remember(OTHER, KEPT, 600)
    cache.remember(OTHER, KEPT, 600)
    assert cache.recall(OTHER) == KEPT
    assert not before & connected()


def test_a_replica_that_has_lost_its_primary_and_says_nothing(cache: Cache, admin: redis.Redis) -> None:
    with configured(admin, replica_serve_stale_data="no"), replica_of_nobody(admin), trouble("no_primary"):
        assert cache.recall(ROUTE) is None


def test_another_password(cache: Cache, admin: redis.Redis) -> None:
    before = str(admin.config_get("requirepass")["requirepass"])
    admin.config_set("requirepass", "another")
    try:
        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with trouble("refused"):
            assert cache.recall(ROUTE) is None
    finally:
        admin.config_set("requirepass", before)
    wait_until(lambda: cache.recall(ROUTE) == KEPT, message="the old password to be right again")


def test_a_right_that_was_taken_away(cache: Cache, admin: redis.Redis) -> None:
    admin.execute_command("ACL", "SETUSER", "default", "-get")
    try:
        with trouble("refused"):
            assert cache.recall(ROUTE) is None
    finally:
        admin.execute_command("ACL", "SETUSER", "default", "+get")


def test_a_script_of_somebody_elses_that_does_not_end(cache: Cache, server: Redis, admin: redis.Redis) -> None:
    with configured(admin, lua_time_limit="1"), redis.Redis.from_url(server.url()) as somebody:
        endless = gevent.spawn(_run_until_killed, somebody)
        wait_until(lambda: _is_busy(admin), message="Redis to be busy")
        with trouble("busy"):
            assert cache.recall(ROUTE) is None
        admin.script_kill()
        endless.get(timeout=20)


def _run_until_killed(client: redis.Redis) -> None:
    with pytest.raises(exceptions.ResponseError):
        client.eval("while true do end", 0)


def _is_busy(client: redis.Redis) -> bool:
    try:
        client.get("x")
    except exceptions.ResponseError:
        return True
    return False


def test_no_more_clients(cache: Cache, admin: redis.Redis) -> None:
    admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with configured(admin, maxclients="1"), trouble("unreachable"):
        assert cache.recall(ROUTE) is None


@pytest.mark.parametrize("put", [["LPUSH", OTHER, "x"], ["SET", OTHER, b"\xff\xfe"]], ids=["a list", "no text"])
def test_a_key_that_holds_what_is_not_ours_is_no_trouble_for_others(
    cache: Cache, admin: redis.Redis, put: list[str]
) -> None:
    admin.execute_command(*put)
    with trouble("command"):
        assert cache.recall(OTHER) is None
        assert cache.recall(ROUTE) == KEPT


SAID: dict[str, tuple[Callable[[], exceptions.RedisError], str]] = {
    "loading": (lambda: exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "loading"),
    "no disk": (lambda: exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots, but"), "full"),
    "no replicas": (lambda: exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), "read_only"),
    "cluster": (lambda: exceptions.ClusterDownError("CLUSTERDOWN The cluster is down"), "no_primary"),
    "timeout": (lambda: exceptions.TimeoutError("Timeout reading from socket"), "timeout"),
    "no script": (lambda: exceptions.NoScriptError("No matching script."), "command"),
    "our pool": (lambda: exceptions.MaxConnectionsError("Too many connections"), "unreachable"),
    "in a script": (lambda: exceptions.ResponseError("Error running script: @user_script:3: -OOM command"), "full"),
}


@pytest.mark.parametrize("what", SAID)
def test_what_cannot_be_provoked_is_judged_by_what_redis_says(what: str) -> None:
    made, kind = SAID[what]
    assert kind_of(made()) == kind


def test_trouble_is_told_once_without_what_redis_was_asked(cache: Cache, admin: redis.Redis) -> None:
    with configured(admin, maxmemory="1"), capture_logs() as logs:
        for _ in range(5):
            cache.remember(OTHER, KEPT, 600)
    assert [(one["event"], one["kind"]) for one in logs] == [("redis_in_trouble", "full")]
    assert "maxmemory" in logs[0]["advice"]
    assert REGISTRY.get_sample_value("relay_redis_failures_total", {"kind": "full"})


def test_each_kind_of_trouble_is_told_with_what_to_do() -> None:
    assert set(ADVICE) == set(get_args(Kind))
