"""CatchUpActor: takes the lines that are to be caught up with, and has each worked on by an actor of its own."""

from __future__ import annotations

from typing import Any

import structlog

from db.tenants import catch_ups
from relay.actors.line_catch_up import TAKEN_SECONDS, LineCatchUp, LineCaughtUp
from relay.core.errors import StoreError
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Ref, Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
AT_ONCE = 4
"""Lines of one daemon, each another tenant's: one tenant's Genesys that hangs holds up no other's."""


class CatchUpActor(RelayActor):
    """Every daemon has one; the row's own time lets one of them at a time work on a line."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._working: dict[str, Ref] = {}

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def on_stop(self) -> None:
        for ref in self._working.values():
            ref.stop(block=False)

    def handle(self, command: Any) -> None:
        if isinstance(command, LineCaughtUp):
            self._working.pop(command.line_id, None)
        elif isinstance(command, Tick):
            self._take()
            self._again()
        else:
            super().handle(command)

    def recover(self) -> None:
        self._again()

    def _take(self) -> None:
        room = AT_ONCE - len(self._working)
        if room <= 0:
            return
        try:
            found = catch_ups.take_due(self._parts.pool, TAKEN_SECONDS, room)
        except StoreError as error:
            log.warning("catch_ups_wait_for_postgresql", error=str(error))
            return
        for due in found:
            former = self._working.pop(due.line_id, None)
            if former is not None:  # it was not heard of for so long that the line has become anybody's
                former.stop(block=False)
            self._working[due.line_id] = LineCatchUp.start(self._parts, due, self.actor_ref)

    def _again(self) -> None:
        self._parts.timers.after(EVERY_SECONDS, self.actor_ref, Tick())
