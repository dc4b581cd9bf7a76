"""What web checks and creates before it accepts anything; repeated until it worked.

Web has to start while PostgreSQL, RabbitMQ and the object store are still coming up. Until the
preparation is done, readiness says no and webhooks are answered 503.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import gevent
import structlog
from gevent.event import Event

from relay.core.errors import StoreError

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 5.0


class StartUp:
    """Runs each step until it has worked once. A step that fails with anything but StoreError is final."""

    def __init__(self, steps: Mapping[str, Callable[[], None]]) -> None:
        self._left = dict(steps)
        self._stopped = Event()
        self._greenlet: gevent.Greenlet | None = None
        self.problem: str | None = None

    @property
    def done(self) -> bool:
        return not self._left

    @property
    def left(self) -> list[str]:
        return list(self._left)

    def start(self) -> None:
        """One round now, the rest in the background. Raises what is final."""
        self._round()
        if self._left:
            self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        self._stopped.set()
        if self._greenlet is not None:
            self._greenlet.kill()

    def _round(self) -> None:
        for name, step in list(self._left.items()):
            try:
                step()
            except StoreError as error:
                log.warning("preparation_waits", step=name, error=str(error))
            else:
                del self._left[name]

    def _run(self) -> None:
        pause = 0.25
        try:
            while self._left and not self._stopped.wait(pause * random.uniform(0.5, 1.0)):  # noqa: S311
                self._round()
                pause = min(pause * 2, LONGEST_PAUSE)
        # Nobody waits for this greenlet: readiness and log have to say that it will not get better.
        except Exception as error:
            self.problem = str(error)
            log.exception("preparation_failed")
