"""What holds now against what is open: what began, what went, and what is over. A condition that flaps is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from relay.core.conditions.kinds import SeenCondition

FLAPS = timedelta(minutes=10)
"""A condition that went and came back within this time has been one all along."""


@dataclass(frozen=True, slots=True)
class OpenCondition:
    """One that is not over. `gone_at`: since when it has not been seen, and may be over."""

    id: int
    kind: str
    line_id: str | None
    subject: str
    gone_at: datetime | None


@dataclass(slots=True)
class Difference:
    """What is to be written: new ones, and the ids of open ones by what became of them."""

    begun: list[SeenCondition] = field(default_factory=list)
    back: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    over: list[int] = field(default_factory=list)


def compare(open_ones: Iterable[OpenCondition], seen: Iterable[SeenCondition], now: datetime) -> Difference:
    """Of one tenant. What has been gone for FLAPS is over, since the moment it went."""
    holds = {one.key: one for one in seen}
    found = Difference()
    for one in open_ones:
        if holds.pop((one.kind, one.line_id, one.subject), None) is not None:
            found.back += [one.id] if one.gone_at is not None else []
        elif one.gone_at is None:
            found.gone.append(one.id)
        elif now - one.gone_at >= FLAPS:
            found.over.append(one.id)
    found.begun = list(holds.values())
    return found
