"""For how long what is kept, by kind: what a tenant may choose, and what holds where it chose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

RetentionKind = Literal["contents", "webhooks", "media", "history", "notices", "audit"]
KINDS: tuple[RetentionKind, ...] = get_args(RetentionKind)

DEDUPE_DAYS = 10
"""A message's row outlives its contents by so much: Meta repeats a webhook for seven days, and must find it."""
LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class RetentionBounds:
    """In days: the fewest that do no harm, what holds where nothing was chosen, the most that the operator permits."""

    least: int
    usual: int
    most: int = LONGEST_DAYS


def _standard() -> dict[RetentionKind, RetentionBounds]:
    """A message waits for seven days at most, and needs its words and its file as long; a link to a file is good for
    as many. An audit log that ends within a quarter proves nothing.
    """
    return {
        "contents": RetentionBounds(8, 365),
        "webhooks": RetentionBounds(1, 90),
        "media": RetentionBounds(8, 365),
        "history": RetentionBounds(8 + DEDUPE_DAYS, 730),
        "notices": RetentionBounds(1, 30),
        "audit": RetentionBounds(90, 1095),
    }


class RetentionError(ValueError):
    """What was chosen cannot be; the text is for people, `kind` is what it is about."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class RetentionTerms:
    """What this installation permits, by kind."""

    bounds: Mapping[RetentionKind, RetentionBounds] = field(default_factory=_standard)

    @staticmethod
    def of(usual: Mapping[str, int], most: Mapping[str, int]) -> RetentionTerms:
        """The operator's own numbers of days in place of the standard ones. Raises RetentionError."""
        bounds = _standard()
        for kind in [*usual, *most]:
            if kind not in bounds:
                raise RetentionError(kind, f"is about {', '.join(KINDS)}; {kind} is none of them")
        for kind, own in bounds.items():
            top = most.get(kind, own.most)
            if not own.least <= top <= LONGEST_DAYS:
                raise RetentionError(kind, f"{kind} may be {own.least} to {LONGEST_DAYS} days")
            bounds[kind] = replace(own, most=top, usual=usual.get(kind, min(own.usual, top)))
        terms = RetentionTerms(bounds)
        terms.checked({})
        return terms

    def checked(self, chosen: Mapping[str, int]) -> dict[RetentionKind, int]:
        """Days of every kind. Raises RetentionError."""
        found: dict[RetentionKind, int] = {}
        for kind, own in self.bounds.items():
            days = chosen.get(kind, own.usual)
            if not own.least <= days <= own.most:
                raise RetentionError(kind, f"{kind} may be {own.least} to {own.most} days here")
            found[kind] = days
        if found["history"] < found["contents"] + DEDUPE_DAYS:
            raise RetentionError(
                "history",
                f"history has to outlive contents by {DEDUPE_DAYS} days, so that a repeated webhook finds its message",
            )
        return found

    def days(self, chosen: Mapping[str, int]) -> dict[RetentionKind, int]:
        """What is carried out: as chosen, brought within bounds that have been changed since."""
        found = {kind: min(max(chosen.get(kind, own.usual), own.least), own.most) for kind, own in self.bounds.items()}
        found["history"] = max(found["history"], found["contents"] + DEDUPE_DAYS)
        return found


def before(now: datetime, days: int) -> datetime:
    """What is older has ended. Whole days of UTC, as the object store's keys have them."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
