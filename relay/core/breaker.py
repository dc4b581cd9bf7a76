"""A line's circuit breaker: after repeated provider trouble only probes go out until one succeeds."""

from __future__ import annotations

from typing import Literal

from relay.core.errors import FINAL, SendError
from relay.core.retry import LONGEST_WAIT

TROUBLES = 5
"""So many failures in a row open the breaker; refused credentials open it at once."""


class Breaker:
    """Closed, open, or probing. All times are time.monotonic seconds, passed in."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.credentials_refused = False
        self.last_success = 0.0
        self._troubles = 0
        self._openings = 0
        self._opened_at = 0.0
        self._probe_at = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        return self.reason is not None

    @property
    def state(self) -> Literal["closed", "open", "refused"]:
        """Refused: open, because the credentials are."""
        if self.credentials_refused:
            return "refused"
        return "open" if self.open else "closed"

    def permits(self, now: float) -> bool:
        """May one more call go out now? While open: one probe at a time."""
        return not self.open or (not self._probing and now >= self._probe_at)

    def wait(self, now: float) -> float:
        """Seconds until `permits` can say yes."""
        return max(0.0, self._probe_at - now) if self.open else 0.0

    def granted(self) -> None:
        """A call was let out; while open it is the probe."""
        self._probing = self.open

    def returned(self) -> None:
        """The call did not take place after all."""
        self._probing = False

    def succeeded(self, now: float) -> None:
        self.last_success = now
        self.reason, self.credentials_refused = None, False
        self._troubles = self._openings = 0
        self._probing = False

    def mended(self) -> None:
        """Somebody changed the credentials: try at once."""
        self._probe_at = 0.0
        self._openings = 0

    def failed(self, error: SendError, now: float, began: float) -> None:
        """Count the error of a call that began then. What concerns one message or contact is no trouble of the line.

        Of many calls side by side all fail together. Those that began before it opened tell nothing new: each would
        put off the probe, and with it the end of a short trouble.
        """
        if self.open and began < self._opened_at:
            return
        self._probing = False
        if error.fate in FINAL or error.scope == "contact":
            return
        if error.fate == "throttled":
            return
        self._troubles += 1
        if error.fate == "credentials" or self._troubles >= TROUBLES or self.open:
            self._openings += 1
            self._opened_at = now
            self.reason = f"{error.code}: {error.text}"
            self.credentials_refused = error.fate == "credentials"
            self._probe_at = now + min(LONGEST_WAIT, 0.5 * 2 ** min(self._openings, 10))
