"""What happens at Meta and at Genesys, and what is always so: webhooks doubled and swapped, answers not at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

from tests.chaos.plant import Plant

Faults = Mapping[str, Any]
ALWAYS: Faults = {
    "latency_ms": [5, 30],
    "duplicate_rate": 0.03,
    "reorder": {"rate": 0.2, "window_ms": 150},
}
ERRORS: Faults = {"error_rate": 0.8, "error_codes": [500, 503]}
THROTTLES: Faults = {"error_rate": 0.7, "error_codes": [429], "retry_after": 2}
HANG_SECONDS = 16.0
"""Longer than any caller waits. Then the call takes effect, and nobody is there for the answer."""
HANGS: Faults = {"latency_ms": [14_000, HANG_SECONDS * 1000]}
CUTS_AFTER: Faults = {"timeout_rate": 0.4}
CUTS_BEFORE: Faults = {"drop_rate": 0.6}
GATEWAY: Faults = {"html_502_rate": 0.3, "html_502_processed_rate": 0.3}
NONSENSE: Faults = {"html_200_rate": 0.6}
SLOW: Faults = {"latency_ms": [800, 2_000]}


def as_always(plant: Plant, side: str) -> None:
    plant.installation.control("POST", "/faults", {side: None})
    plant.installation.control("POST", "/faults", {side: ALWAYS})


@contextmanager
def trouble(plant: Plant, chance: Random, side: str, faults: Faults) -> Iterator[None]:
    plant.installation.control("POST", "/faults", {side: {**ALWAYS, **faults, "seed": chance.randrange(1_000_000)}})
    try:
        yield
    finally:
        as_always(plant, side)
