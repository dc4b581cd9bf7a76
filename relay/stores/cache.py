"""Sealed, forgettable values in Redis: access tokens and look-ups. Losing them costs a fetch.

Every value is sealed together with its key, so that neither a dump of Redis nor a value copied
to another key is of use to anybody. Redis away means: nothing is found, nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import redis
from prometheus_client import Counter

from relay.stores import keys
from relay.stores.connection import RedisConnection

# Longer than any read of PostgreSQL may take: what was read before a change must not be cached after it.
FENCE_SECONDS = 30
UNREADABLE = Counter("relay_cache_unreadable_total", "Cached values that no key opens, or that belong elsewhere")

REMEMBER = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


QUEUED_MS = 3_600_000
"""A queue that nobody reads or fills is gone after that."""
QUEUE = """
for place = 4, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[place], ARGV[place + 1]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], ARGV[1], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 'NX', 0, ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
"""
# Whoever had a turn goes to the end of the row, and out of it with an empty queue.
TAKE_DUE = """
local taken = {}
for _, of in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[4] - 1)) do
  local queue = ARGV[5] .. of .. ARGV[6]
  local room = math.min(ARGV[2] - #taken, ARGV[3])
  if room <= 0 then break end
  local found = redis.call('ZRANGEBYSCORE', queue, '-inf', ARGV[1], 'LIMIT', 0, room)
  if #found > 0 then redis.call('ZREM', queue, unpack(found)) end
  for _, one in ipairs(found) do taken[#taken + 1] = one end
  if redis.call('EXISTS', queue) == 1 then redis.call('ZADD', KEYS[1], ARGV[1], of)
  else redis.call('ZREM', KEYS[1], of) end
end
return taken
"""
LOOKED_AT = 200
"""Queues at one look."""


class Sealer(Protocol):
    """What the cache needs of db.sealing.Cipher, which it may not import."""

    def seal(self, value: Mapping[str, Any]) -> str: ...
    def open(self, sealed: str) -> dict[str, Any]: ...


SCANNED = 1_000
"""Names that Redis looks at in one step."""


class Cache:
    """`get`, `set` and `delete` are the channels' TokenCache; `recall`, `remember`, `forget` serve look-ups."""

    def __init__(self, redis_url: str, cipher: Sealer) -> None:
        self._redis = RedisConnection(redis_url)
        self._cipher = cipher

    def get(self, key: str) -> str | None:
        found = self.recall(keys.cached(key))
        return None if found is None else found.get("value")

    def set(self, key: str, value: str, seconds: float) -> None:
        name = keys.cached(key)
        if seconds > 0:
            sealed = self._seal(name, {"value": value})
            self._redis.call(lambda client: client.set(name, sealed, px=max(int(seconds * 1000), 1)), None)

    def delete(self, key: str) -> None:
        self._redis.call(lambda client: client.delete(keys.cached(key)), None)

    def recall(self, name: str) -> dict[str, Any] | None:
        """The object kept under a name of `relay.stores.keys`, or None."""
        sealed = self._redis.call(lambda client: client.get(name), None)
        return None if sealed is None else self._open(name, sealed)

    def recall_all(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What is kept under these names, asked for at once."""
        sealed = self._redis.call(lambda client: client.mget(names), None) if names else None
        opened = {name: self._open(name, one) for name, one in zip(names, sealed or (), strict=False) if one}
        return {name: one for name, one in opened.items() if one is not None}

    def remember(self, name: str, value: Mapping[str, Any], seconds: float) -> None:
        """Keep it, unless the name was forgotten while the value was being looked up."""
        sealed = self._seal(name, value)
        self._redis.call(lambda client: _remember(client, name, sealed, seconds), None)

    def forget(self, names: Iterable[str]) -> None:
        """Drop these, and let nothing that was read before now come back."""
        wanted = list(names)
        if wanted:
            self._redis.call(lambda client: _forget(client, wanted), None)

    def queue(self, turns: str, of: str, name: str, due: Mapping[str, float], most: int) -> None:
        """Put these by their times (Unix seconds) into a queue of `of`, who is in the row `turns` from now on.

        The queue holds `most`; who waits longest is left out.
        """
        if due:
            self._redis.call(lambda client: client.eval(QUEUE, 2, name, turns, most, QUEUED_MS, of, *_flat(due)), None)

    def take_due(self, turns: str, names: tuple[str, str], now: float, most: int, each: int) -> list[str]:
        """Up to `most` whose time has come, for the caller alone: `each` of one queue, in turns.

        `names`: what stands before and behind whose it is in a queue's name.
        """
        found = self._redis.call(
            lambda client: client.eval(TAKE_DUE, 1, turns, repr(now), most, each, LOOKED_AT, *names), None
        )
        return [str(one) for one in found or ()]

    def drop(self, names: Sequence[str]) -> None:
        """Without a fence, whose own name would hold theirs."""
        if names:
            self._redis.call(lambda client: client.delete(*names), None)

    def drop_with(self, tenant_id: str, reached: int) -> tuple[int, int] | None:
        """Of the next SCANNED keys those whose name has the tenant's id. How many, and where to go on, 0: at the end.

        None: Redis is away.
        """
        found: tuple[int, int] | None = self._redis.call(lambda client: _drop_with(client, tenant_id, reached), None)
        return found

    def forget_routes(self, refs: Iterable[tuple[str, str]]) -> None:
        """`forget` for the look-ups that a change of a tenant has touched (see db.tenants.changes)."""
        self.forget(keys.route(kind, value) for kind, value in refs)

    def ping(self) -> bool:
        return self._redis.ping()

    @property
    def trouble(self) -> str:
        """What is the matter with its certificate, as far as the last failure tells."""
        return self._redis.trouble

    def close(self) -> None:
        self._redis.close()

    def _seal(self, name: str, value: Mapping[str, Any]) -> str:
        return self._cipher.seal({"key": name, "kept": dict(value)})

    def _open(self, name: str, sealed: str) -> dict[str, Any] | None:
        try:
            opened = self._cipher.open(sealed)
        except (RuntimeError, ValueError):
            UNREADABLE.inc()
            return None
        if opened.get("key") != name:
            UNREADABLE.inc()
            return None
        kept: dict[str, Any] = opened["kept"]
        return kept


def _drop_with(client: redis.Redis, tenant_id: str, reached: int) -> tuple[int, int]:
    following, names = client.scan(reached, match=f"{keys.PREFIX}:*{tenant_id}*", count=SCANNED)
    if names:
        client.delete(*names)
    return len(names), int(following)


def _remember(client: redis.Redis, name: str, sealed: str, seconds: float) -> None:
    client.eval(REMEMBER, 2, name, keys.fence(name), sealed, max(int(seconds * 1000), 1))


def _forget(client: redis.Redis, names: list[str]) -> None:
    try:
        _fence_and_drop(client, names)
    except redis.OutOfMemoryError:  # no room for fences: then nothing can be kept either
        client.delete(*names)


def _fence_and_drop(client: redis.Redis, names: list[str]) -> None:
    with client.pipeline(transaction=True) as pipe:
        for name in names:
            pipe.set(keys.fence(name), "1", ex=FENCE_SECONDS)
        pipe.delete(*names)
        pipe.execute()


def _flat(due: Mapping[str, float]) -> list[str]:
    return [part for one, at in due.items() for part in (repr(at), one)]
