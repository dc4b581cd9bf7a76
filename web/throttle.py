"""Saying the same thing once in a while only."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable


class OncePer:
    """`due(thing)` is true at most once in `seconds`, for the `remembered` things seen last."""

    def __init__(self, seconds: float, remembered: int = 1_000) -> None:
        self._seconds = seconds
        self._remembered = remembered
        self._last: OrderedDict[Hashable, float] = OrderedDict()

    def due(self, thing: Hashable) -> bool:
        now = time.monotonic()
        last = self._last.get(thing)
        if last is not None and now - last < self._seconds:
            return False
        self._last[thing] = now
        self._last.move_to_end(thing)
        if len(self._last) > self._remembered:
            self._last.popitem(last=False)
        return True

    def forget(self, thing: Hashable) -> None:
        """It was not said after all: due again at once."""
        self._last.pop(thing, None)
