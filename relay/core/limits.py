"""How fast may be sent: what a provider counts by, and Meta's pair limit (per conversation: one message per 6 s,
with a burst of 45) [Meta: about the platform, 5 Dec 2025].

What a line or a token has left is shared between daemons and lives in `relay.stores.limits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relay.core.messages import ChannelName

PAIR_BURST = 45.0
PAIR_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Rates:
    """The installation's rates; a line's own settings go before them."""

    genesys_per_minute: float = 300.0
    whatsapp_per_second: float = 80.0


@dataclass(frozen=True, slots=True)
class Rate:
    """`key` names what the provider counts by: a number at Meta, a token at Genesys (shared by its tenant's lines).

    And the tenant: ids are no secret, so whoever enters another tenant's client must not use up what that one has.
    """

    key: str
    per_second: float
    burst: float


def rate_of(side: ChannelName, tenant_id: str, counted_by: str, settings: Mapping[str, Any], rates: Rates) -> Rate:
    """The limit of one side of a line; `counted_by` is its phone_number_id, or its client_id at Genesys."""
    key = f"{side}:{tenant_id}:{counted_by}"
    if side == "whatsapp":
        per_second = float(settings.get("whatsapp_rate_per_second") or rates.whatsapp_per_second)
        # What WhatsApp itself takes of this number at most; somebody's own lower setting stays.
        per_second = min(per_second, float(settings.get("rate_cap") or per_second))
        return Rate(key, per_second, max(1.0, per_second))
    per_minute = float(settings.get("genesys_rate_per_minute") or rates.genesys_per_minute)
    return Rate(key, per_minute / 60, per_minute)


class PairBucket:
    """Starts full; a restart forgets, and Meta's own 131056 then does the pacing."""

    __slots__ = ("_at", "_tokens")

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
            # A clock that was set back takes nothing away.
            self._tokens = min(PAIR_BURST, self._tokens + max(0.0, now - self._at) / PAIR_SECONDS)
        self._at = now
