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

T = TypeVar("T")

AWAY_SECONDS = 3.0
FAILURES = Counter("relay_redis_failures_total", "Redis calls that failed; each one costs speed, never a message")

log = structlog.get_logger(__name__)


class RedisConnection:
    """A small pool of connections. After a failure nobody tries again for AWAY_SECONDS."""

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
        self.trouble = ""
        """What is the matter with its certificate, as far as the last failure tells."""

    def call(self, command: Callable[[redis.Redis], Any], default: T) -> Any | T:
        """What the command answers, or `default` while Redis is away."""
        if time.monotonic() < self._away_until:
            return default
        try:
            return command(self.client)
        except redis.RedisError as error:
            FAILURES.inc()
            if time.monotonic() >= self._away_until:
                log.warning("redis is away", error=type(error).__name__, why=refusal(error), pause_seconds=AWAY_SECONDS)
            self.trouble = refusal(error) or ""
            self._away_until = time.monotonic() + AWAY_SECONDS
            return default

    def ping(self) -> bool:
        """Whether Redis answers, asked anew."""
        self._away_until = 0.0
        return bool(self.call(lambda client: client.ping(), False))

    def close(self) -> None:
        self.client.close()
        self.client.connection_pool.disconnect()
