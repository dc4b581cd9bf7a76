"""Which promises were kept. What the contract excuses is counted, too, and apart: docs/guarantees.md says what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.catalogue import GENESYS, META
from tests.chaos.ledger import Arrival, Direction, Entry
from tests.chaos.schedule import Happened

HOLD_SECONDS = 0.2
"""The hold window, less the way to it: who was known so soon after the other was posted is put before it."""
UNKNOWN_SECONDS = 30.0
"""The bound after which a send to WhatsApp is repeated whose outcome nobody learned."""
AROUND = 5.0
"""So long before a trouble a call may have begun whose answer got lost in it, and so long after it."""
DIRECTIONS: tuple[Direction, ...] = ("to the agent", "to the customer")
SIDE = {"to the agent": GENESYS, "to the customer": META}


@dataclass
class Counts:
    """Of one direction. The first five are what was promised never to be; `excused` ones and `late` are not broken."""

    sent: int = 0
    taken: int = 0
    arrived: int = 0
    given_up: int = 0
    """By the provider, which never heard a 200."""
    lost: int = 0
    doubled: int = 0
    swapped: int = 0
    receipts_missing: int = 0
    receipts_doubled: int = 0
    doubled_excused: int = 0
    receipts_doubled_excused: int = 0
    late: int = 0
    """Behind a later one, since the provider had to repeat it, or posted it too late for the hold window."""

    @property
    def broken(self) -> int:
        return self.lost + self.doubled + self.swapped + self.receipts_missing + self.receipts_doubled


@dataclass
class Verdict:
    counts: dict[Direction, Counts]
    findings: list[tuple[Entry, str]] = field(default_factory=list)
    """Each broken promise: the message, and the word for it."""

    @property
    def broken(self) -> int:
        return sum(each.broken for each in self.counts.values())


def judge(entries: Sequence[Entry], happened: Sequence[Happened]) -> Verdict:
    verdict = Verdict({direction: Counts() for direction in DIRECTIONS})
    for entry in entries:
        _count(verdict, entry, happened)
    for line in _lines(entries):
        _order(verdict, line)
    return verdict


def _count(verdict: Verdict, entry: Entry, happened: Sequence[Happened]) -> None:
    counts = verdict.counts[entry.direction]
    counts.sent += 1
    counts.taken += entry.taken_at is not None
    counts.arrived += bool(entry.arrivals)
    if not entry.arrivals:
        if entry.taken_at is None:
            counts.given_up += 1
        else:
            counts.lost += 1
            verdict.findings.append((entry, "lost"))
    for before, again in zip(entry.arrivals, entry.arrivals[1:], strict=False):
        if _excused(entry, before, again, happened):
            counts.doubled_excused += 1
        else:
            counts.doubled += 1
            verdict.findings.append((entry, "doubled"))
    if entry.direction == "to the customer":
        _receipts(verdict, counts, entry, happened)


def _receipts(verdict: Verdict, counts: Counts, entry: Entry, happened: Sequence[Happened]) -> None:
    if entry.shown and not entry.receipts:
        counts.receipts_missing += 1
        verdict.findings.append((entry, "receipt missing"))
    for told_at in (one for times in entry.receipts.values() for one in sorted(times)[:-1]):
        if _answers_lost(GENESYS, told_at, told_at, happened):
            counts.receipts_doubled_excused += 1
        else:
            counts.receipts_doubled += 1
            verdict.findings.append((entry, "receipt doubled"))


def _excused(entry: Entry, before: Arrival, again: Arrival, happened: Sequence[Happened]) -> bool:
    """Genesys knows no repeats, so a call without an answer may show twice; WhatsApp's is first looked for, long."""
    lost = not before.answered or _answers_lost(SIDE[entry.direction], before.at, before.at, happened)
    if entry.direction == "to the agent":
        return lost
    return lost and again.at - before.at >= UNKNOWN_SECONDS


def _answers_lost(provider: str, begin: float, end: float, happened: Sequence[Happened]) -> bool:
    """Whether something that loses this provider's answers was under way at some time between these two."""
    return any(
        provider in one.kind.loses
        and one.begin - AROUND <= end
        and begin <= _over(one, happened) + one.kind.lingers + AROUND
        for one in happened
    )


def _over(one: Happened, happened: Sequence[Happened]) -> float:
    """When it, and what happened together with it, was repaired."""
    return max(other.ready for other in happened if other.step == one.step)


def _lines(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The messages of one conversation and direction that arrived, as they were written."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.arrivals:
            found[(entry.direction, entry.talk)].append(entry)
    for line in found.values():
        yield sorted(line, key=lambda entry: entry.number)


def _order(verdict: Verdict, line: Sequence[Entry]) -> None:
    for place, earlier in enumerate(line):
        overtaken_by = [one for one in line[place + 1 :] if one.arrivals[0].place < earlier.arrivals[0].place]
        if any(_known_in_time(earlier, later) for later in overtaken_by):
            verdict.counts[earlier.direction].swapped += 1
            verdict.findings.append((earlier, "swapped"))
        elif overtaken_by:
            verdict.counts[earlier.direction].late += 1


def _known_in_time(earlier: Entry, later: Entry) -> bool:
    """A message that was posted once, and taken before the one behind it could be let go."""
    if earlier.attempts > 1 or earlier.taken_at is None:
        return False
    return earlier.taken_at < later.posted_at + HOLD_SECONDS
