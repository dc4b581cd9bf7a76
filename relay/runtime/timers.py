"""One greenlet and one heap for all the actors' alarms. Alarms are never cancelled: they are harmless late."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import gevent
import pykka
from gevent.event import Event

from relay.runtime.actor import tell


class Timers:
    """`after(seconds, ref, command)` tells the actor then. Owned and stopped by the service."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, pykka.ActorRef[Any], Any]] = []
        self._order = count()
        self._changed = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        """`on_failure` hears of an end that nobody asked for: without alarms nothing is tried again."""
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link_exception(lambda ended: on_failure(ended.exception))

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def after(self, seconds: float, ref: pykka.ActorRef[Any], command: Any) -> None:
        heapq.heappush(self._heap, (time.monotonic() + max(seconds, 0.0), next(self._order), ref, command))
        if self._heap[0][2] is ref:
            self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.clear()
            now = time.monotonic()
            while self._heap and self._heap[0][0] <= now:
                _, _, ref, command = heapq.heappop(self._heap)
                tell(ref, command)
            self._changed.wait(self._heap[0][0] - now if self._heap else None)
