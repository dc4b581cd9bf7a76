"""Quiet hours: when a person is told nothing, and from when on again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` to `end` by the clock of `zone`, each day; over midnight where `end` is the earlier one."""

    begin: time
    end: time
    zone: str

    def until(self, now: datetime) -> datetime | None:
        """When they end, where `now` is within them; else None. By the wall clock, whatever it is set to meanwhile."""
        local = now.astimezone(ZoneInfo(self.zone))
        clock = local.time()
        if self.begin <= self.end:
            within = self.begin <= clock < self.end
        else:
            within = clock >= self.begin or clock < self.end
        if not within:
            return None
        day = local.date() if clock < self.end else local.date() + timedelta(days=1)
        return datetime.combine(day, self.end, local.tzinfo).astimezone(UTC)
