"""How late a worker's greenlets have their turn, for /metrics: what is slow for everybody shows here first."""

from __future__ import annotations

import time

import gevent

from web import metrics

EVERY_SECONDS = 0.5


def watch_loop() -> None:
    """For ever, in a greenlet of its own."""
    while True:
        asked = time.monotonic()
        gevent.sleep(EVERY_SECONDS)
        metrics.loop_lag.observe(max(0.0, time.monotonic() - asked - EVERY_SECONDS))
