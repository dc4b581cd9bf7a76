"""HoursActor: counts the messages of hours that are over, for the figures of the dashboard."""

from __future__ import annotations

from typing import Any

import structlog

from db.views import hours
from relay.core.errors import StoreError
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0
BUSY_SECONDS = 1.0
SLICE = 24
"""So many hours at a time: what a long pause has left is caught up with between other work."""


class HoursActor(RelayActor):
    """Every daemon has one; a row's lock lets one of them count at a time."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def handle(self, command: Any) -> None:
        if not isinstance(command, Tick):
            super().handle(command)
            return
        counted = 0
        try:
            counted = hours.count_due(self._parts.pool, SLICE)
        except StoreError as error:
            log.warning("hours_wait_for_postgresql", error=str(error))
        self._again(BUSY_SECONDS if counted == SLICE else EVERY_SECONDS)

    def recover(self) -> None:
        self._again(EVERY_SECONDS)

    def _again(self, seconds: float) -> None:
        self._parts.timers.after(seconds, self.actor_ref, Tick())
