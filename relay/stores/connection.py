"""One process' way to Redis: bounded, quick to give up, and quiet while Redis is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
import structlog
from prometheus_client import Counter
from redis.backoff import NoBackoff
from redis.retry import Retry

from relay.core.certificates import refusal
from relay.core.episode import Episode
from relay.stores.redis_errors import ADVICE, ANOTHER_SERVER, STILL_READS, kind_of

T = TypeVar("T")

AWAY_SECONDS = 3.0
FAILURES = Counter(
    "relay_redis_failures_total", "Redis calls that failed; each one costs speed, never a message", ["kind"]
)

log = structlog.get_logger(__name__)


class RedisConnection:
    """A small pool of connections. After a failure nobody tries again for AWAY_SECONDS.

    Where only writing is refused, or a single command, everybody goes on: each of those that fail is told so at once.
    """

    def __init__(self, url: str, *, size: int = 32, seconds: float = 0.5) -> None:
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=size,
            timeout=seconds,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            # One fresh connection at once, for those that a restarted Redis has closed; a timeout is not repeated.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            decode_responses=True,
        )
        self.client = redis.Redis(connection_pool=pool)
        self._away_until = 0.0
        self._episode = Episode()
        self.trouble = ""
        """What is the matter with its certificate, as far as the last failure tells."""

    def call(self, command: Callable[[redis.Redis], Any], default: T) -> Any | T:
        """What the command answers, or `default` while Redis is away, or does not do this."""
        if time.monotonic() < self._away_until:
            return default
        try:
            answer = command(self.client)
        except (redis.RedisError, UnicodeDecodeError) as error:
            self._failed(error)
            return default
        lasted = self._episode.worked(time.monotonic())
        if lasted is not None:
            log.warning("redis_works_again", seconds=round(lasted, 1))
        return answer

    def _failed(self, error: redis.RedisError | UnicodeDecodeError) -> None:
        """Its text is not told: Redis repeats what it was asked, secrets included."""
        kind = kind_of(error)
        FAILURES.labels(kind).inc()
        self.trouble = refusal(error) or ""
        if self._episode.failed(time.monotonic()):
            what_to_do = self.trouble or ADVICE.get(kind)
            log.warning("redis_in_trouble", kind=kind, error=type(error).__name__, advice=what_to_do)
        if kind in ANOTHER_SERVER:
            self.client.connection_pool.disconnect(inuse_connections=False)
        if kind not in STILL_READS:
            self._away_until = time.monotonic() + AWAY_SECONDS

    def ping(self) -> bool:
        """Whether Redis answers, asked anew."""
        self._away_until = 0.0
        return bool(self.call(lambda client: client.ping(), False))

    def close(self) -> None:
        self.client.close()
        self.client.connection_pool.disconnect()
