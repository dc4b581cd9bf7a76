"""Shared rate limits: many takers, one budget; and a budget of one's own while Redis is away."""

import time
from collections.abc import Iterator
from uuid import uuid4

import gevent
import pytest

from demo.stack import Redis
from relay.core.limits import Rate
from relay.stores.limits import Granted, TokenBucket
from relay.stores.permits import KEEP_SECONDS, SHARE, Permits
from tests.waiting import PATIENCE, wait_until

SLOW = 0.001
"""Per second: nothing comes back while a test lasts."""


@pytest.fixture
def bucket(redis_url: str) -> Iterator[TokenBucket]:
    made = TokenBucket(redis_url)
    yield made
    made.close()


@pytest.fixture
def key() -> str:
    return uuid4().hex


def test_a_new_bucket_is_full_and_then_refills(bucket: TokenBucket, key: str) -> None:
    assert bucket.take(key, SLOW, 5, 5) == Granted(5, 0.0)
    empty = bucket.take(key, SLOW, 5, 1)
    assert empty.count == 0
    assert 0 < empty.wait_seconds <= 1 / SLOW
    wait_until(lambda: bucket.take(key, 20, 5, 1).count == 1, message="one to come back")


def test_part_of_what_is_wanted(bucket: TokenBucket, key: str) -> None:
    granted = bucket.take(key, 1, 3, 10)
    assert granted.count == 3
    assert 0.9 < granted.wait_seconds <= 1.0


def test_many_processes_never_get_more_than_the_budget(redis_url: str, key: str) -> None:
    rate, burst, takers = 50.0, 20.0, [TokenBucket(redis_url) for _ in range(8)]
    got: list[int] = []

    def use(bucket: TokenBucket) -> None:
        while sum(got) < 70:
            granted = bucket.take(key, rate, burst, 3)
            got.append(granted.count)
            gevent.sleep(min(granted.wait_seconds, 0.02))

    began = time.monotonic()
    gevent.joinall([gevent.spawn(use, bucket) for bucket in takers], timeout=PATIENCE, raise_error=True)
    assert 70 <= sum(got) <= burst + rate * (time.monotonic() - began) + 1
    for one in takers:
        one.close()


def test_a_rate_per_minute_has_a_whole_minute_as_its_burst(bucket: TokenBucket, key: str) -> None:
    assert bucket.take(key, 300 / 60, 300, 300).count == 300
    assert bucket.take(key, 300 / 60, 300, 300).count < 300
    assert bucket.take(key + "-slow", 3 / 60, 3, 3).count == 3
    assert bucket.take(key + "-slow", 3 / 60, 3, 1).wait_seconds == pytest.approx(20, abs=10)


def test_what_is_owed_accrues_before_anybody_gets_more(bucket: TokenBucket, redis_url: str, key: str) -> None:
    other = TokenBucket(redis_url)
    assert bucket.take(key, 0.01, 2, 2).count == 2
    assert bucket.owe(key, 0.01, 2, 3)
    for one in (bucket, other):
        granted = one.take(key, 0.01, 2)
        assert (granted.count, granted.wait_seconds > 350) == (0, True)
    bucket.give_back(key, 5)
    assert other.take(key, 0.01, 2, 9).count == 2
    bucket.penalise(key, 60)
    assert not other.owe(key, 0.01, 2)
    other.close()


def test_nobody_gets_anything_during_a_penalty(bucket: TokenBucket, redis_url: str, key: str) -> None:
    other = TokenBucket(redis_url)
    bucket.take(key, 10, 10, 1)
    bucket.penalise(key, 30)
    waiting = other.take(key, 10, 10, 1)
    assert waiting.count == 0
    assert 10 < waiting.wait_seconds <= 30.1
    other.close()


def test_after_a_penalty_it_starts_empty(bucket: TokenBucket, redis_url: str, key: str) -> None:
    """What built up meanwhile is not let loose."""
    other = TokenBucket(redis_url)
    bucket.take(key, 10, 10, 1)
    bucket.penalise(key, 0.4)
    gevent.sleep(0.5)  # it is over then, sooner or later makes no difference
    assert other.take(key, SLOW, 10, 5).count == 0
    wait_until(lambda: other.take(key, 10, 10, 1).count == 1, message="one to come back")
    other.close()


def test_a_look_takes_nothing(bucket: TokenBucket, redis_url: str, key: str) -> None:
    other = TokenBucket(redis_url)
    assert other.peek(key, SLOW, 10) == 10
    bucket.take(key, SLOW, 10, 4)
    assert [other.peek(key, SLOW, 10) for _ in range(3)] == pytest.approx([6, 6, 6], abs=0.01)
    bucket.penalise(key, 30)
    paused = other.peek(key, 1, 10)
    assert paused is not None
    assert -30 <= paused < -10
    other.close()


def test_without_redis_each_process_keeps_to_the_rate_by_itself(
    bucket: TokenBucket, redis_server: Redis, key: str
) -> None:
    assert bucket.take(key, SLOW, 10, 8).count == 8
    bucket.penalise(key + "-penalised", 300)
    redis_server.stop()
    try:
        assert bucket.take(key, SLOW, 10, 10).count == 2  # not ten again: it knows what it has used
        assert bucket.take(key, SLOW, 10, 1).count == 0
        assert bucket.take(key + "-penalised", 5, 10, 1).wait_seconds > 200
        assert bucket.peek(key, 5, 10) is None
    finally:
        redis_server.start()
        redis_server.wait_ready()


def test_nonsense_is_refused(bucket: TokenBucket, key: str) -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        bucket.take(key, 0, 10)


def used(permits: Permits, rate: Rate, number: int) -> int:
    """So many calls, one after the other, as far as the rate lets them."""
    for done in range(number):
        if permits.ready(rate, 1):
            return done
        permits.use()
    return number


def left(bucket: TokenBucket, rate: Rate) -> int:
    return round(bucket.peek(rate.key, rate.per_second, rate.burst) or 0.0)


def test_a_busy_sender_takes_in_advance_and_gives_back_what_it_did_not_use(bucket: TokenBucket, key: str) -> None:
    permits, rate = Permits(bucket, 32), Rate(key, SLOW, 400.0)
    assert used(permits, rate, 70) == 70
    ahead = 400 - 70 - left(bucket, rate)
    assert 0 < ahead <= 400 / SHARE
    assert permits.keep(time.monotonic()) > 0
    assert 400 - 70 - left(bucket, rate) == ahead
    assert permits.keep(time.monotonic() + KEEP_SECONDS) == 0
    assert left(bucket, rate) == 400 - 70


def test_whoever_sends_seldom_takes_what_it_needs(bucket: TokenBucket, key: str) -> None:
    permits, rate = Permits(bucket, 32), Rate(key, SLOW, 400.0)
    used(permits, rate, 1)
    assert left(bucket, rate) == 399


def test_taking_in_advance_gives_nobody_more_than_the_rate(bucket: TokenBucket, redis_url: str, key: str) -> None:
    other, rate = TokenBucket(redis_url), Rate(key, SLOW, 40.0)
    both = [Permits(bucket, 32), Permits(other, 32)]
    together = sum(used(permits, rate, 1) for _ in range(50) for permits in both)
    assert together <= 40
    for permits in both:
        permits.give_back()
    assert left(bucket, rate) == 40 - together
    other.close()


def test_what_goes_back_during_a_penalty_does_not_end_it(bucket: TokenBucket, key: str) -> None:
    permits, rate = Permits(bucket, 32), Rate(key, SLOW, 400.0)
    used(permits, rate, 70)
    bucket.penalise(key, 0.3)
    permits.give_back()
    wait_until(lambda: (bucket.peek(key, SLOW, 400.0) or 0.0) >= 0, message="the end of the penalty")
    assert left(bucket, rate) == 0


def test_what_comes_back_after_a_penalty_began_is_not_in_hand(bucket: TokenBucket, key: str) -> None:
    permits, rate = Permits(bucket, 32), Rate(key, SLOW, 400.0)
    used(permits, rate, 70)
    bucket.penalise(key, 60)
    permits.forget()
    permits.unused()
    assert permits.ready(rate, 1) > 0


def test_permits_of_another_token_are_no_use(bucket: TokenBucket, key: str) -> None:
    permits, before, after = Permits(bucket, 32), Rate(key, SLOW, 400.0), Rate(key + "-new", SLOW, 400.0)
    used(permits, before, 70)
    used(permits, after, 1)
    assert (left(bucket, before), left(bucket, after)) == (330, 399)
