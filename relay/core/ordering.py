"""Where a message stands in its conversation: the sort key of promise G2.

Providers post side by side and web workers run side by side, so arrival alone shuffles, and provider
clocks alone are too coarse (WhatsApp counts whole seconds). The key is stored in the row, so that
a recovery sorts exactly as the first daemon did.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

CLOCK_SECONDS = {"whatsapp": 1.0, "genesys": 0.001}
"""Granularity of each provider's timestamps (facts: WhatsApp unix seconds, Genesys ISO milliseconds)."""

PLACES_PER_ITEM = 1000


@dataclass(frozen=True, slots=True, order=True)
class SortKey:
    """(the earlier of provider time and arrival, at the provider's granularity; arrival; place)."""

    time: float
    arrived_at: float
    index: int


def sort_key(channel: str, provider_time: float, arrived_at: float, index: int, place: int = 0) -> SortKey:
    """The key of event `place` in item `index` of a webhook that arrived at `arrived_at` (Unix seconds)."""
    granularity = CLOCK_SECONDS[channel]
    # PostgreSQL keeps microseconds: a finer key in memory would sort differently from the same one read back.
    arrived_at = round(arrived_at, 6)
    # Rounding first keeps 0.29 / 0.001 = 289.99999 from falling into the millisecond before.
    ticks = floor(round(min(provider_time, arrived_at) / granularity, 3))
    return SortKey(round(ticks * granularity, 3), arrived_at, index * PLACES_PER_ITEM + min(place, PLACES_PER_ITEM - 1))
