"""Saying, or working out, the same thing once in a while only."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")


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


class Recent(Generic[Made]):
    """What `make` gives, worked out at most once in `seconds`, however many ask. Who asks meanwhile waits for it."""

    def __init__(self, make: Callable[[], Made], seconds: float = 1.0) -> None:
        self._make = make
        self._seconds = seconds
        self._lock = Lock()
        self._made: tuple[Made, float] | None = None

    def get(self) -> Made:
        """Raises what `make` raises, which is then tried again by the next."""
        with self._lock:
            if self._made is None or time.monotonic() >= self._made[1]:
                self._made = (self._make(), time.monotonic() + self._seconds)
            return self._made[0]


class RepeatCounter:
    """How often each thing has happened since it was told, for the things that happened last."""

    def __init__(self, seconds: float, remembered: int) -> None:
        self._remembered = remembered
        self._once = OncePer(seconds, remembered)
        self._times: Counter[Hashable] = Counter()
        self._order: OrderedDict[Hashable, None] = OrderedDict()

    def happened(self, thing: Hashable) -> int:
        """How many times are to be told now; 0: not yet."""
        self._times[thing] += 1
        self._order[thing] = None
        self._order.move_to_end(thing)
        if len(self._order) > self._remembered:
            oldest, _ = self._order.popitem(last=False)
            del self._times[oldest]
        return self._times[thing] if self._once.due(thing) else 0

    def told(self, thing: Hashable) -> None:
        self._times.pop(thing, None)
        self._order.pop(thing, None)

    def not_told(self, thing: Hashable) -> None:
        """It will be at the next time."""
        self._once.forget(thing)
