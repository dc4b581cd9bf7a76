"""Meta's pair limit, kept per conversation: one message per 6 s, with a burst of 45.

[Meta: about the platform, 5 Dec 2025]. The limits of a line or a token are shared between daemons
and live in `relay.stores.limits`.
"""

from __future__ import annotations

PAIR_BURST = 45.0
PAIR_SECONDS = 6.0


class PairBucket:
    """Starts full; a restart forgets, and Meta's own 131056 then does the pacing."""

    def __init__(self) -> None:
        self._tokens = PAIR_BURST
        self._at: float | None = None

    def wait(self, now: float) -> float:
        """Seconds until a message may go (0 when it may go now)."""
        self._refill(now)
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) * PAIR_SECONDS

    def take(self, now: float) -> None:
        self._refill(now)
        self._tokens -= 1

    def _refill(self, now: float) -> None:
        if self._at is not None:
            self._tokens = min(PAIR_BURST, self._tokens + (now - self._at) / PAIR_SECONDS)
        self._at = now
