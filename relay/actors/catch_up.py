"""CatchUpActor: takes the lines that are to be caught up with, and has each worked on by an actor of its own."""

from __future__ import annotations

from typing import Any

from db.tenants import catch_ups
from relay.actors.line_catch_up import TAKEN_SECONDS, LineCatchUp, LineCaughtUp
from relay.runtime.commands import Ref
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

AT_ONCE = 4
"""Lines of one daemon, each another tenant's: one tenant's Genesys that hangs holds up no other's."""


class CatchUpActor(RegularActor):
    """Every daemon has one; the row's own time lets one of them at a time work on a line."""

    every_seconds = busy_seconds = 2.0

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._working: dict[str, Ref] = {}

    def on_stop(self) -> None:
        for ref in self._working.values():
            ref.stop(block=False)

    def handle(self, command: Any) -> None:
        if isinstance(command, LineCaughtUp):
            self._working.pop(command.line_id, None)
        else:
            super().handle(command)

    def work(self) -> bool:
        """Begin with the lines that there is room for."""
        room = AT_ONCE - len(self._working)
        for due in catch_ups.take_due(self._parts.pool, TAKEN_SECONDS, room) if room > 0 else ():
            former = self._working.pop(due.line_id, None)
            if former is not None:  # it was not heard of for so long that the line has become anybody's
                former.stop(block=False)
            self._working[due.line_id] = LineCatchUp.start(self._parts, due, self.actor_ref)
        return False
