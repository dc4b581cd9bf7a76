"""What one sender of many has in hand of a shared rate: taken for a short stretch at once, and given back unused.

One question to Redis for each message costs more than the message's own request. So whoever has just used up its
permits takes as many as it used within a stretch, and never more than a small share of what all share.
"""

from __future__ import annotations

import time

from relay.core.limits import Rate
from relay.stores.limits import TokenBucket

STRETCH_SECONDS = 0.25
"""For so long are permits taken in advance, at the rate at which the last were used."""
KEEP_SECONDS = 1.0
"""Permits that nobody has used by then go back."""
SHARE = 20
"""Nobody holds more than this part of a burst, that others of the same rate have theirs."""


class Permits:
    """`ready` before a call, `use` with it. `most`: never more in hand."""

    def __init__(self, bucket: TokenBucket, most: int) -> None:
        self._bucket = bucket
        self._most = most
        self._held = 0
        self._rate: Rate | None = None
        """Of which those in hand were taken."""
        self._taken = 0
        self._taken_at = 0.0

    def ready(self, rate: Rate, wanted: int) -> float:
        """Seconds until it is worth asking again; 0: there is one in hand. `wanted`: who waits for one now."""
        if self._rate is not None and self._rate.key != rate.key:
            self.give_back()
        if self._held > 0:
            return 0.0
        now = time.monotonic()
        number = min(max(wanted, self._used_a_stretch(now)), self._most, max(1, int(rate.burst / SHARE)))
        granted = self._bucket.take(rate.key, rate.per_second, rate.burst, number)
        self._rate, self._held, self._taken, self._taken_at = rate, granted.count, granted.count, now
        return 0.0 if granted.count else max(0.02, granted.wait_seconds)

    def _used_a_stretch(self, now: float) -> int:
        """Twice the last block at most: two calls in quick succession are no rate yet."""
        passed = max(now - self._taken_at, 0.001)
        return min(2 * self._taken, int(self._taken * STRETCH_SECONDS / passed))

    def use(self) -> None:
        self._held -= 1

    def unused(self) -> None:
        """One was used for a call that did not take place. After `forget` it is not in hand any more."""
        if self._taken:
            self._held += 1

    def forget(self) -> None:
        """The provider wants nothing from us for a while."""
        self._held = self._taken = 0

    def keep(self, now: float) -> float:
        """Give back what is too old at `now` (time.monotonic). Seconds until the rest will be; 0: there is none."""
        if self._held <= 0:
            return 0.0
        left = self._taken_at + KEEP_SECONDS - now
        if left <= 0:
            self.give_back()
        return max(0.0, left)

    def give_back(self) -> None:
        """All that are in hand."""
        if self._rate is not None and self._held > 0:
            self._bucket.give_back(self._rate.key, self._held)
        self._held = self._taken = 0
