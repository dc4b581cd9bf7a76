"""ReplayActor: sends dead letters again, a few at a time, where somebody has asked for it."""

from __future__ import annotations

import time

from db.mailbox import replay_steps
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

AT_ONCE = 8
"""Replays that have a step in one piece of work; each is another tenant's."""
DROP_SECONDS = 3600.0


class ReplayActor(RegularActor):
    every_seconds = 2.0
    busy_seconds = replay_steps.STEP_SECONDS

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._drop_at = 0.0

    def work(self) -> bool:
        replay_steps.settle(self._parts.pool)
        stepped = 0
        while stepped < AT_ONCE and replay_steps.step(self._parts.pool) is not None:
            stepped += 1
        if time.monotonic() >= self._drop_at:
            more = replay_steps.drop_old(self._parts.pool) == replay_steps.AT_ONCE
            self._drop_at = time.monotonic() + (self.busy_seconds if more else DROP_SECONDS)
        return stepped > 0
