"""Token buckets shared by all daemons, in Redis; each daemon's own while Redis is away.

One Lua script, Redis' own clock: two daemons never both get the last token. A rate per minute is
`rate / 60` per second with a burst of the whole minute's budget.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass

import redis

from relay.stores import keys
from relay.stores.connection import RedisConnection

LONGEST_PENALTY = 300.0
LOCAL_BUCKETS = 10_000

# A penalty is an `at` in the future: nothing is granted and nothing accrues before it.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
if at > now then return {0, tostring(at - now + 1 / rate)} end
tokens = math.min(burst, tokens + (now - at) * rate)
local granted = math.max(0, math.min(wanted, math.floor(tokens)))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
local wait = 0
if granted < wanted then wait = (1 - tokens) / rate end
return {granted, tostring(wait)}
"""

# Below nothing it goes: what is owed accrues first, before anybody is granted one.
OWE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local rate, burst, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
if at > now then return 0 end
tokens = math.min(burst, tokens + (now - at) * rate) - count
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / rate * 1000) + 1000)
return 1
"""

# More than the burst is cut off by the next take; a bucket that is gone is full, one under a penalty stays empty.
GIVE_BACK = """
local clock = redis.call('TIME')
local at = tonumber(redis.call('HGET', KEYS[1], 'at'))
if at and at <= clock[1] + clock[2] / 1000000 then redis.call('HINCRBYFLOAT', KEYS[1], 'tokens', ARGV[1]) end
return 1
"""

PENALISE = """
local clock = redis.call('TIME')
local until_at = clock[1] + clock[2] / 1000000 + tonumber(ARGV[1])
local at = tonumber(redis.call('HGET', KEYS[1], 'at')) or 0
if until_at > at then
  redis.call('HSET', KEYS[1], 'tokens', '0', 'at', string.format('%.6f', until_at))
  redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[1]) * 1000) + 60000)
end
return 1
"""


@dataclass(frozen=True, slots=True)
class Granted:
    """`count` may go now; after `wait_seconds` it is worth asking for the rest (0: all granted)."""

    count: int
    wait_seconds: float


class TokenBucket:
    """`take` before sending; `penalise` when the provider said how long to wait.

    Keys name what the provider counts by: a phone number at Meta, a client's token at Genesys; of one tenant.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis = RedisConnection(redis_url)
        self._local: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, rate_per_second: float, burst: float, wanted: int = 1) -> Granted:
        """As many of `wanted` as the bucket holds. A bucket nobody has used is full."""
        if rate_per_second <= 0 or burst < 1 or wanted < 1:
            raise ValueError("a bucket needs a rate above 0, a burst and a want of at least 1")
        arguments = (repr(float(rate_per_second)), repr(float(burst)), wanted)
        answer = self._redis.call(lambda client: client.eval(TAKE, 1, keys.bucket(key), *arguments), None)
        bucket = self._own(key, burst)
        if answer is None:
            return bucket.take(rate_per_second, burst, wanted)
        granted = Granted(int(answer[0]), float(answer[1]))
        bucket.note(rate_per_second, burst, granted.count)
        return granted

    def count(self, key: str, rate_per_second: float, burst: float) -> Granted:
        """One more of what cannot be refused any more: this process knows of it before it waits for Redis."""
        own = self._own(key, burst).take(rate_per_second, burst, 1)
        arguments = (repr(float(rate_per_second)), repr(float(burst)), 1)
        answer = self._redis.call(lambda client: client.eval(TAKE, 1, keys.bucket(key), *arguments), None)
        return own if answer is None else Granted(int(answer[0]), float(answer[1]))

    def owe(self, key: str, rate_per_second: float, burst: float, count: int = 1) -> bool:
        """So many more for what was granted already: taken even where there are none, and missing to those who come.

        False during a penalty: nothing was taken, and no call should be made.
        """
        arguments = (repr(float(rate_per_second)), repr(float(burst)), count)
        answer = self._redis.call(lambda client: client.eval(OWE, 1, keys.bucket(key), *arguments), None)
        own = self._own(key, burst).owe(rate_per_second, burst, count)
        return own if answer is None else bool(answer)

    def give_back(self, key: str, count: int = 1) -> None:
        """So many were taken and not used."""
        self._redis.call(lambda client: client.eval(GIVE_BACK, 1, keys.bucket(key), count), None)
        if key in self._local:
            self._local[key].give_back(count)

    def peek(self, key: str, rate_per_second: float, burst: float) -> float | None:
        """What the shared bucket holds, taking nothing; negative during a penalty, or if owed. None: Redis is away."""

        def look(client: redis.Redis) -> tuple[list[str | None], tuple[int, int]]:
            asked = client.pipeline(transaction=False)
            asked.hmget(keys.bucket(key), "tokens", "at")
            asked.time()
            kept, clock = asked.execute()
            return kept, clock

        answer: tuple[list[str | None], tuple[int, int]] | None = self._redis.call(look, None)
        if answer is None:
            return None
        (tokens, at), (seconds, microseconds) = answer
        if tokens is None or at is None:
            return burst
        return min(burst, float(tokens) + (seconds + microseconds / 1e6 - float(at)) * rate_per_second)

    def wait(self, key: str, rate_per_second: float, burst: float) -> float:
        """Seconds until one may be taken, taking nothing. What this process has counted meanwhile counts too."""
        shared = self.peek(key, rate_per_second, burst)
        own = self._own(key, burst).held(rate_per_second, burst)
        held = own if shared is None else min(shared, own)
        return max(0.0, (1 - held) / rate_per_second)

    def penalise(self, key: str, seconds: float) -> None:
        """Nobody gets anything before `seconds` have passed (bounded); afterwards it starts empty."""
        seconds = min(seconds, LONGEST_PENALTY)
        if seconds <= 0:
            return
        self._redis.call(lambda client: client.eval(PENALISE, 1, keys.bucket(key), repr(float(seconds))), None)
        self._own(key, 0.0).penalise(seconds)

    def close(self) -> None:
        self._redis.close()

    def _own(self, key: str, burst: float) -> _Bucket:
        """What this process itself has used: the starting point whenever Redis goes away."""
        bucket = self._local.setdefault(key, _Bucket(burst))
        self._local.move_to_end(key)
        if len(self._local) > LOCAL_BUCKETS:
            self._local.popitem(last=False)
        return bucket


class _Bucket:
    """The same arithmetic as the script's, on this process' clock."""

    def __init__(self, tokens: float) -> None:
        self._tokens = tokens
        self._at = time.monotonic()

    def take(self, rate: float, burst: float, wanted: int) -> Granted:
        now = time.monotonic()
        if self._at > now:
            return Granted(0, self._at - now + 1 / rate)
        self._accrue(now, rate, burst)
        count = min(wanted, max(math.floor(self._tokens), 0))
        self._tokens -= count
        return Granted(count, 0.0 if count == wanted else (1 - self._tokens) / rate)

    def owe(self, rate: float, burst: float, count: int) -> bool:
        now = time.monotonic()
        if self._at > now:
            return False
        self._accrue(now, rate, burst)
        self._tokens -= count
        return True

    def give_back(self, count: int) -> None:
        if self._at <= time.monotonic():
            self._tokens += count

    def held(self, rate: float, burst: float) -> float:
        """Negative while a penalty lasts, or something is owed."""
        return min(burst, self._tokens + (time.monotonic() - self._at) * rate)

    def note(self, rate: float, burst: float, count: int) -> None:
        """Redis has granted these."""
        now = time.monotonic()
        if self._at <= now:
            self._accrue(now, rate, burst)
        self._tokens = max(self._tokens - count, 0.0)

    def penalise(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        if until > self._at:
            self._at, self._tokens = until, 0.0

    def _accrue(self, now: float, rate: float, burst: float) -> None:
        self._tokens = min(burst, self._tokens + (now - self._at) * rate)
        self._at = now
