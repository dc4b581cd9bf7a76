"""An actor of which there are thousands, and most of which wait: it has a greenlet only while it has something to do.

A greenlet that waits keeps its stack: 8 KB, more than everything else that a live conversation needs. So these share
a few. Each still does one command at a time, in the order of their coming, and may wait while it does one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import gevent
from gevent.queue import SimpleQueue

from relay.runtime.actor import RelayActor

KEPT_IDLE = 256
"""Greenlets that are kept for what comes next: a group wakes a hundred conversations at once, and to make and end a
greenlet takes five times as long as to wake one."""


class Workers:
    """`run(work)` soon, in a greenlet that has nothing to do, or in a new one if all of them wait for something."""

    def __init__(self) -> None:
        self._ready = SimpleQueue[Callable[[], None]]()
        self._idle = 0

    def run(self, work: Callable[[], None]) -> None:
        self._ready.put(work)
        if self._ready.qsize() > self._idle:
            self._idle += 1  # from now on: it takes what is ready when the loop comes to it
            gevent.spawn(self._serve)

    def _serve(self) -> None:
        while self._ready.qsize() or self._idle <= KEPT_IDLE:
            work = self._ready.get()
            self._idle -= 1
            work()
            self._idle += 1
        self._idle -= 1


@cache
def workers() -> Workers:
    """Of this process; made when the first actor needs them."""
    return Workers()


class Inbox:
    """What an actor was told and has not done. `work` is run when something comes and nobody is at it."""

    __slots__ = ("_told", "_work")

    def __init__(self) -> None:
        self._told: deque[Any] = deque()
        self._work: Callable[[], None] | None = None

    def put(self, envelope: Any) -> None:
        self._told.append(envelope)
        self._begin()

    def get(self) -> Any:
        """The next, which there must be."""
        return self._told.popleft()

    def empty(self) -> bool:
        return not self._told

    def await_work(self, work: Callable[[], None]) -> None:
        """`work` takes all that there is, and tells by this when it is done."""
        self._work = work
        if self._told:
            self._begin()

    def _begin(self) -> None:
        if self._work is not None:
            work, self._work = self._work, None
            workers().run(work)


class PooledActor(RelayActor):
    """Pykka's loop, as long as there is something in the inbox. It has no `on_start`."""

    @staticmethod
    def _create_actor_inbox() -> Any:
        return Inbox()

    def _start_actor_loop(self) -> None:
        cast(Inbox, self.actor_inbox).await_work(self._work)

    def _work(self) -> None:
        inbox, self._greenlet = cast(Inbox, self.actor_inbox), gevent.getcurrent()
        while not inbox.empty() and not self.actor_stopped.is_set():
            envelope = inbox.get()
            answer = self._handle_receive(envelope.message)
            if envelope.reply_to is not None:
                envelope.reply_to.set(answer)
        self._greenlet = None
        if self.actor_stopped.is_set():
            self._actor_loop_teardown()  # whoever asked and got no answer is told so
        else:
            inbox.await_work(self._work)
