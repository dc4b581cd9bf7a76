"""Which kind of link a BROKER_URL means, and how long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable

from relay.broker.link import Link
from relay.broker.redis_link import RedisLink


def is_redis(url: str) -> bool:
    return url.startswith(("redis://", "rediss://"))


def open_link(url: str, on_lost: Callable[[], None] | None = None) -> Link | RedisLink:
    """Connect once. Raises BrokerError."""
    return RedisLink(url, on_lost) if is_redis(url) else Link(url, on_lost)


class Backoff:
    """Growing pauses with jitter, in seconds, never above `limit`."""

    def __init__(self, first: float, limit: float) -> None:
        self._first = first
        self._limit = limit
        self._next = first

    def pause(self) -> float:
        seconds, self._next = self._next, min(self._next * 2, self._limit)
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads reconnects, guards no secret

    def reset(self) -> None:
        self._next = self._first
