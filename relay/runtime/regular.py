"""RegularActor: a piece of work that a daemon does again and again, beside the messages' path."""

from __future__ import annotations

from typing import Any

import structlog

from relay.core.errors import StoreError
from relay.core.retry import backoff
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)


class RegularActor(RelayActor):
    """Every daemon has one of each kind; a lock or a time in PostgreSQL lets one of them at a time do the same work.

    It begins when it is started. What fails is tried again, each time after a longer pause.
    """

    every_seconds: float
    """Between two pieces of work."""
    busy_seconds: float
    """The same, while there is more to be done."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts

    def work(self) -> bool:
        """Do one bounded piece. True: there may be more. Raises StoreError: later, then."""
        raise NotImplementedError

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def handle(self, command: Any) -> None:
        if not isinstance(command, Tick):
            super().handle(command)
            return
        more = False
        try:
            more = self.work()
        except StoreError as error:
            log.warning("regular_work_waits", actor=type(self).__name__, error=str(error))
        self._again(self.busy_seconds if more else self.every_seconds)

    def recover(self) -> None:
        self._again(max(self.every_seconds, backoff(self.failures)))

    def _again(self, seconds: float) -> None:
        self._parts.timers.after(seconds, self.actor_ref, Tick())
