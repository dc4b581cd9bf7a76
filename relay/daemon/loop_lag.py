"""How late greenlets have their turn: a busy machine is seen before the first message that is slow on it."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent

from relay import metrics
from relay.core.conversation.hold import Longest

EVERY_SECONDS = 0.1


class LoopLag:
    """Tells `pace` by how much its own turns come late."""

    def __init__(self, pace: Longest) -> None:
        self._pace = pace
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        """`on_failure` hears of an end that nobody asked for."""
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link_exception(lambda ended: on_failure(ended.exception))

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        while True:
            asked = time.monotonic()
            gevent.sleep(EVERY_SECONDS)
            now = time.monotonic()
            late = max(0.0, now - asked - EVERY_SECONDS)
            self._pace.noted(late, now)
            metrics.loop_lag.observe(late)
