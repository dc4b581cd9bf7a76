"""Redis as a cache: sealed, forgettable, and no trouble when it is away."""

from collections.abc import Iterator

import pytest
import redis
from cryptography.fernet import Fernet

from db.sealing import Cipher, SealError
from demo.stack import Redis
from relay.stores import keys
from relay.stores.cache import Cache
from relay.stores.connection import FAILURES
from tests.processes import frozen
from tests.waiting import wait_until

SECRET = "EAAG-an-access-token-4711"
ROUTE = keys.route("whatsapp", "106540352242922")


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([Fernet.generate_key().decode()])


@pytest.fixture
def cache(redis_url: str, cipher: Cipher) -> Iterator[Cache]:
    made = Cache(redis_url, cipher)
    yield made
    made.close()


@pytest.fixture
def raw(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


def failures() -> float:
    return sum(one.value for one in next(iter(FAILURES.collect())).samples if one.name.endswith("_total"))


def test_a_token_is_kept_until_it_expires(cache: Cache, raw: redis.Redis) -> None:
    cache.set("token", SECRET, 60)
    cache.set("short", SECRET, 0.3)
    wait_until(lambda: cache.get("short") is None, message="the token to expire")
    assert cache.get("token") == SECRET


def test_a_deleted_token_is_gone_and_may_come_back_at_once(cache: Cache, raw: redis.Redis) -> None:
    cache.set("token", SECRET, 60)
    cache.delete("token")
    assert cache.get("token") is None
    cache.set("token", SECRET, 60)
    assert cache.get("token") == SECRET


def test_nothing_in_redis_can_be_read_without_the_key(cache: Cache, raw: redis.Redis, redis_url: str) -> None:
    cache.set("token", SECRET, 60)
    cache.remember(ROUTE, {"meta_secrets": [SECRET]}, 60)
    dump = b"".join(name + (raw.get(name) or b"") for name in raw.scan_iter())
    assert dump
    assert SECRET.encode() not in dump
    stranger = Cache(redis_url, Cipher([Fernet.generate_key().decode()]))
    assert stranger.get("token") is None
    stranger.close()


def test_a_value_copied_to_another_key_is_not_believed(cache: Cache, raw: redis.Redis) -> None:
    cache.set("of-tenant-one", SECRET, 60)
    raw.copy(keys.cached("of-tenant-one"), keys.cached("of-tenant-two"))
    assert cache.get("of-tenant-two") is None


def test_what_was_read_before_a_change_is_not_kept_after_it(cache: Cache, raw: redis.Redis) -> None:
    cache.remember(ROUTE, {"tenant": "old"}, 60)
    cache.forget([ROUTE])
    assert cache.recall(ROUTE) is None
    cache.remember(ROUTE, {"tenant": "old"}, 60)  # the slow reader, whose answer is older than the change
    assert cache.recall(ROUTE) is None


def test_after_a_while_a_forgotten_name_may_be_kept_again(cache: Cache, raw: redis.Redis) -> None:
    cache.forget([ROUTE])
    assert 0 < raw.ttl(keys.fence(ROUTE)) <= 30
    raw.delete(keys.fence(ROUTE))  # stands for the 30 seconds
    cache.remember(ROUTE, {"tenant": "new"}, 60)
    assert cache.recall(ROUTE) == {"tenant": "new"}


def test_a_key_of_a_webhook_url_is_no_part_of_a_redis_key() -> None:
    assert "unguessable" not in keys.route("tenant-key", "unguessable")
    assert keys.route("line-key", "unguessable") != keys.route("tenant-key", "unguessable")


def test_redis_away_raises_nothing(cache: Cache, redis_server: Redis) -> None:
    cache.set("token", SECRET, 60)
    redis_server.stop()
    try:
        for _ in range(200):
            assert cache.get("token") is None
            cache.set("token", SECRET, 60)
            cache.forget([ROUTE])
        assert not cache.ping()
    finally:
        redis_server.start()
        redis_server.wait_ready()
    wait_until(cache.ping, message="the cache to see Redis again")
    cache.set("token", SECRET, 60)
    assert cache.get("token") == SECRET


def test_keys_rotate(cipher: Cipher) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Cipher([old]).seal({"a": SECRET})
    assert Cipher([new, old]).open(sealed) == {"a": SECRET}
    resealed = Cipher([new, old]).reseal(sealed)
    assert Cipher([new]).open(resealed) == {"a": SECRET}
    with pytest.raises(SealError):
        Cipher([new]).open(sealed)


def test_a_redis_that_hangs_is_asked_once_in_a_while_only(cache: Cache, redis_server: Redis) -> None:
    cache.set("token", SECRET, 60)
    failed = failures()
    with frozen(redis_server.child):
        for _ in range(50):
            assert cache.get("token") is None
    assert failures() - failed < 10, "each of them takes half a second"
    wait_until(cache.ping, message="the cache to see Redis again")
