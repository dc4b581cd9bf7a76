"""EndsListeners: takes the tenants whose Genesys is to be listened to, each by an actor of its own."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from db.tenants import event_listeners
from relay.actors.ends_listener import HELD_SECONDS, EndsListener, ListenerEnded
from relay.runtime.commands import Ref
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

MOST = 500
"""Tenants of one daemon, each with a connection."""
AT_ONCE = 4
"""New ones in a piece of work, so that daemons share them."""
TIDY_SECONDS = 10.0


class EndsListeners(RegularActor):
    every_seconds = 2.0
    busy_seconds = 0.5

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._listening: dict[str, Ref] = {}
        self._tidy_at = 0.0

    def on_stop(self) -> None:
        """Each lets go of its tenant, so that the next daemon takes it at once."""
        for ref in self._listening.values():
            ref.stop(block=False)
        for ref in self._listening.values():
            ref.actor_stopped.wait(2.0)

    def handle(self, command: Any) -> None:
        if isinstance(command, ListenerEnded):
            self._listening.pop(command.claim, None)
        else:
            super().handle(command)

    def work(self) -> bool:
        if time.monotonic() >= self._tidy_at:
            event_listeners.tidy(self._parts.pool)
            self._tidy_at = time.monotonic() + TIDY_SECONDS
        room = min(AT_ONCE, MOST - len(self._listening))
        if room <= 0:
            return False
        parts = self._parts
        due = [
            one for _ in range(room)
            for one in event_listeners.take_due(parts.pool, parts.cipher, str(uuid4()), HELD_SECONDS, 1)
        ]  # fmt: skip
        for one in due:
            self._listening[one.claim] = EndsListener.start(parts, one, self.actor_ref)
        return len(due) == AT_ONCE
