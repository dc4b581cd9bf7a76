"""The table, and the same as JSON."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.chaos.ledger import Entry
from tests.chaos.schedule import Happened
from tests.chaos.verdict import Verdict

SHOWN = 5
"""Findings of each kind that are told one by one."""


@dataclass(frozen=True)
class Passage:
    """What one trouble did to the messages taken while it lasted.

    `longest_wait`: seconds from a 200 to the arrival, of the message that waited longest. `recovery`: seconds from the
    repair until the last of those that had been taken before it had arrived.
    """

    happened: Happened
    messages: int
    longest_wait: float
    recovery: float
    findings: int
    slowest: Entry | None
    """The message that waited longest."""


@dataclass(frozen=True)
class Run:
    seed: int
    seconds: float
    quiet_after: float
    """Seconds from the end of traffic until nothing was under way any more."""
    dead: int
    """Rows that the relay has given up."""
    ended: Sequence[str]
    providers: str
    """What they did on top: webhooks doubled, swapped, repeated."""
    passages: Sequence[Passage]
    verdict: Verdict
    evidence: Mapping[str, Sequence[str]]
    """By the id of a message: what the relay knows of it, of the first findings."""

    @property
    def kept(self) -> bool:
        return self.verdict.broken == 0 and not self.dead


def first(verdict: Verdict) -> list[tuple[Entry, str]]:
    """Some of each kind of finding."""
    words = dict.fromkeys(word for _, word in verdict.findings)
    return [one for word in words for one in [each for each in verdict.findings if each[1] == word][:SHOWN]]


def passages(happened: Sequence[Happened], entries: Sequence[Entry], verdict: Verdict) -> list[Passage]:
    return [_passage(one, happened, entries, verdict) for one in happened]


def _passage(one: Happened, happened: Sequence[Happened], entries: Sequence[Entry], verdict: Verdict) -> Passage:
    during = [each for each in entries if each.arrivals and one.begin - 1 <= (each.taken_at or 0.0) <= one.ready]
    slowest = max(during, key=lambda each: each.waited, default=None)
    following = min((other.begin for other in happened if other.begin > one.begin), default=time.time())
    findings = sum(1 for entry, _ in verdict.findings if one.begin - 1 <= (entry.taken_at or 0.0) < following)
    last = max((each.arrivals[0].at for each in during), default=one.ready)
    longest = slowest.waited if slowest else 0.0
    return Passage(one, len(during), longest, max(0.0, last - one.ready), findings, slowest)


def table(run: Run) -> Iterator[str]:
    yield f"\nseed {run.seed}, {run.seconds / 60:.1f} minutes, {len(run.passages)} troubles"
    yield ""
    yield f"{'trouble':34}{'times':>6}{'messages':>10}{'longest wait':>24}{'recovery':>22}{'found':>7}"
    yield f"{'':34}{'':>6}{'':>10}{'median':>13}{'longest':>11}{'median':>11}{'longest':>11}"
    by_kind: dict[str, list[Passage]] = defaultdict(list)
    for passage in run.passages:
        by_kind[passage.happened.kind.name].append(passage)
    for name, found in sorted(by_kind.items()):
        waits, recoveries = [one.longest_wait for one in found], [one.recovery for one in found]
        yield (
            f"{name:34}{len(found):6}{sum(one.messages for one in found):10}"
            f"{median(waits):11.1f} s{max(waits):9.1f} s{median(recoveries):9.1f} s{max(recoveries):9.1f} s"
            f"{sum(one.findings for one in found):7}"
        )
    yield from _counts(run)


def _counts(run: Run) -> Iterator[str]:
    yield f"\n{'':30}{'to the agent':>16}{'to the customer':>18}"
    agent, customer = (asdict(counts) for counts in run.verdict.counts.values())
    for name, value in agent.items():
        yield f"{name.replace('_', ' '):30}{value:16}{customer[name]:18}"
    yield f"\nquiet after {run.quiet_after:.0f} s; dead letters {run.dead}; ended by themselves {len(run.ended)}"
    yield run.providers
    yield from (f"  {one}" for one in run.ended)
    for entry, word in first(run.verdict):
        yield f"  {word}: {told(entry)}"
        yield from (f"    {one}" for one in run.evidence.get(entry.id, ()))
    yield "every promise was kept" if run.kept else f"BROKEN: {run.verdict.broken + run.dead} promises"


def told(entry: Entry) -> str:
    """All that is known of a message, in one line."""
    moment = time.strftime("%H:%M:%S", time.gmtime(entry.posted_at))
    taken = f"taken after {entry.taken_at - entry.posted_at:.2f} s" if entry.taken_at else "never taken"
    arrivals = ", ".join(
        f"#{one.place} {one.at - entry.posted_at:.2f} s{'' if one.answered else ' (answer kept back)'}"
        for one in entry.arrivals
    )
    receipts = {word: len(times) for word, times in entry.receipts.items()}
    return (
        f"{entry.direction} {entry.talk} {entry.kind} {entry.number} {entry.id}: posted {moment} in {entry.attempts}, "
        f"{taken}, arrived {arrivals or 'never'}, receipts {receipts}"
    )


def write(run: Run, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {
        "seed": run.seed,
        "seconds": round(run.seconds, 1),
        "quiet_after": round(run.quiet_after, 1),
        "dead_letters": run.dead,
        "ended": list(run.ended),
        "providers": run.providers.splitlines(),
        "counts": {direction: asdict(counts) for direction, counts in run.verdict.counts.items()},
        "findings": [
            {"what": word, "message": told(entry), "relay": list(run.evidence.get(entry.id, ()))}
            for entry, word in run.verdict.findings
        ],
        "troubles": [
            {
                "name": one.happened.kind.name,
                "begin": one.happened.begin,
                "seconds": round(one.happened.end - one.happened.begin, 2),
                "repaired_after": round(one.happened.ready - one.happened.end, 2),
                "messages": one.messages,
                "longest_wait": round(one.longest_wait, 2),
                "recovery": round(one.recovery, 2),
                "findings": one.findings,
                "slowest": told(one.slowest) if one.slowest else None,
                "relay": list(run.evidence.get(one.slowest.id, ())) if one.slowest else [],
            }
            for one in run.passages
        ],
        "kept": run.kept,
    }
    path.write_text(json.dumps(found, indent=2) + "\n")
