"""Whether something goes on in any of many processes, and for how long already, in Redis. Redis away: nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from relay.stores.connection import RedisConnection

# By Redis' own clock. What has lasted long enough is told once, to whoever makes it so.
GOES_ON = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local first = math.min(tonumber(redis.call('GET', KEYS[1])) or now, now - tonumber(ARGV[1]))
local lasted = now - tonumber(ARGV[2]) - first
if lasted >= tonumber(ARGV[3]) then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.6f', first), 'PX', math.ceil(tonumber(ARGV[4]) * 1000))
end
return tostring(lasted)
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """Under a name of `relay.stores.keys`: its first and last time here, in seconds ago."""

    name: str
    first: float
    last: float


class SharedSeries:
    """What happens again within `pause` seconds belongs together."""

    def __init__(self, redis_url: str) -> None:
        self._redis = RedisConnection(redis_url)

    def lasted(self, happened: Sequence[Happened], enough: float, pause: float) -> list[float]:
        """Of each how many seconds lie between its first time anywhere and this last one. Empty: Redis is away.

        One that has lasted `enough` begins anew with the next time.
        """

        def ask(client: redis.Redis) -> list[str]:
            asked = client.pipeline(transaction=False)
            for one in happened:
                asked.eval(GOES_ON, 1, one.name, repr(one.first), repr(one.last), repr(enough), repr(pause))
            found: list[str] = asked.execute()
            return found

        answers: list[str] = self._redis.call(ask, []) if happened else []
        return [float(one) for one in answers]

    def close(self) -> None:
        self._redis.close()
