"""Which items of a webhook may be taken, by whose secret signs it. The rule is DESIGN's, section 10.

A signature authorises exactly the lines whose effective secret verifies the whole body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from db.lines import LineRoute
from db.pool import DatabaseError
from relay.channels.base import Part

Verdict = LineRoute | Literal["unknown", "foreign", "undecided"]
REFS_BEFORE_PROOF = 64
"""Look-ups that a sender may cause who has proved nothing yet."""


@dataclass(slots=True)
class Sorted:
    """An item is in exactly one of these."""

    accepted: list[tuple[Part, LineRoute]] = field(default_factory=list)
    unknown: list[Part] = field(default_factory=list)
    foreign: list[Part] = field(default_factory=list)
    undecided: list[Part] = field(default_factory=list)

    @property
    def owners(self) -> dict[str, list[str]]:
        """Tenant id to the line refs it has in this webhook."""
        found: dict[str, dict[str, None]] = {}
        for part, route in self.accepted:
            found.setdefault(route.tenant_id, {})[part.line_ref] = None
        return {tenant_id: list(refs) for tenant_id, refs in found.items()}


def sort(parts: list[Part], judge: Callable[[str], Verdict], proved: Callable[[], bool]) -> Sorted:
    """Judge each line named once. Items of lines beyond the limit of an unproved body are foreign."""
    found = Sorted()
    verdicts: dict[str, Verdict] = {}
    for part in parts:
        if part.line_ref not in verdicts:
            verdicts[part.line_ref] = _verdict(part.line_ref, judge, len(verdicts), proved)
        match verdicts[part.line_ref]:
            case "unknown":
                found.unknown.append(part)
            case "foreign":
                found.foreign.append(part)
            case "undecided":
                found.undecided.append(part)
            case route:
                found.accepted.append((part, route))
    return found


def _verdict(ref: str, judge: Callable[[str], Verdict], judged: int, proved: Callable[[], bool]) -> Verdict:
    if judged >= REFS_BEFORE_PROOF and not proved():
        return "foreign"
    try:
        return judge(ref)
    except DatabaseError:
        return "undecided"
