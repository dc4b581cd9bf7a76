"""What web checks and creates before it accepts anything; repeated until it worked.

Web has to start while PostgreSQL, RabbitMQ and the object store are still coming up. Until the
preparation is done, readiness says no and webhooks are answered 503.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import gevent
import structlog

from relay.core.errors import StoreError

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 1.0
"""Seconds between two tries of a step. Whoever has posted a webhook waits for this, too."""


class StartUp:
    """Runs each step until it has worked once, and none behind another one's server.

    A step that fails with anything but StoreError is final. What is `beside` is seen to as well; nobody waits for it.
    """

    def __init__(self, steps: Mapping[str, Callable[[], None]], beside: Mapping[str, Callable[[], None]]) -> None:
        self._steps = {**steps, **beside}
        self._beside = list(beside)
        self._left = dict.fromkeys(steps)
        self._greenlets: list[gevent.Greenlet] = []
        self.problem: str | None = None

    @property
    def done(self) -> bool:
        return not self._left and self.problem is None

    @property
    def left(self) -> list[str]:
        return list(self._left)

    def start(self) -> None:
        """Try each step once now, and what is left in the background. Raises what is final."""
        tries = [gevent.spawn(self._first_try, name) for name in self._left]
        for tried in tries:
            if (final := tried.get()) is not None:
                raise final
        self._greenlets = [gevent.spawn(self._run, name) for name in (*self._left, *self._beside)]

    def refuse(self, problem: str) -> None:
        """From now on nothing is accepted any more, whatever had worked."""
        self.problem = problem

    def stop(self) -> None:
        gevent.killall(self._greenlets)

    def _first_try(self, name: str) -> Exception | None:
        """What is final; the caller raises it."""
        try:
            self._works(name)
        except Exception as error:  # noqa: BLE001 - handed over
            return error
        return None

    def _works(self, name: str) -> bool:
        try:
            self._steps[name]()
        except StoreError as error:
            log.warning("preparation_waits", step=name, error=str(error))
            return False
        self._left.pop(name, None)
        return True

    def _run(self, name: str) -> None:
        pause = FIRST_PAUSE
        try:
            while not self._works(name):
                gevent.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads tries, guards no secret
                pause = min(pause * 2, LONGEST_PAUSE)
        # Nobody waits for this greenlet: readiness and log have to say that it will not get better.
        except Exception as error:
            self.problem = self.problem if name in self._beside else str(error)
            log.exception("preparation_failed", step=name)
