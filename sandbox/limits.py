"""The providers' rate limits, enforced by default: settings, and the meters that keep count."""

from math import ceil
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.bounded import BoundedDict
from sandbox.clock import monotonic


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class MetaLimits(_Limits):
    number_per_second: float | None = Field(default=80, gt=0)
    count_inbound: bool = True
    pair_burst: int | None = Field(default=45, gt=0)
    pair_seconds: float = Field(default=6, gt=0)
    direct_send: bool = False
    """The business portfolio is enabled for it."""
    service_window_hours: float | None = Field(default=24, ge=0)
    free_service_messages: int = Field(default=1000, ge=0)
    """Of a number in a month."""


class GenesysLimits(_Limits):
    per_minute: int | None = Field(default=300, gt=0)
    algorithm: Literal["window", "bucket"] = "window"


class ProviderLimits(_Limits):
    meta: MetaLimits = Field(default_factory=lambda: MetaLimits())
    genesys: GenesysLimits = Field(default_factory=lambda: GenesysLimits())


class Buckets:
    """Token buckets by key. `take` answers 0 when there was a token, else the seconds until there is one."""

    def __init__(self) -> None:
        self._levels: BoundedDict[str, tuple[float, float]] = BoundedDict(200_000)

    def take(self, key: str, burst: float, per_second: float, *, force: bool = False) -> float:
        now = monotonic()
        level, then = self._levels.get(key, (burst, now))
        level = min(burst, level + (now - then) * per_second)
        allowed = force or level >= 1
        self._levels[key] = (level - 1 if allowed else level, now)
        return 0.0 if allowed else (1 - level) / per_second


class Windows:
    """A budget per key and minute, counted from the key's first call."""

    def __init__(self) -> None:
        self._windows: BoundedDict[str, tuple[float, int]] = BoundedDict(10_000)

    def take(self, key: str, budget: int) -> tuple[int, int]:
        """Calls counted in this window, and whole seconds until it ends."""
        now = monotonic()
        start, count = self._windows.get(key, (now, 0))
        if now - start >= 60:
            start, count = now, 0
        self._windows[key] = (start, min(count + 1, budget + 1))
        return count + 1, max(1, ceil(start + 60 - now))
