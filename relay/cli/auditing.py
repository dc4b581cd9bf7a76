"""`relay audit`: chain the lines of the audit log, look whether any was changed, and hand them out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from conf.settings import Settings
from db.access import audit_chain
from db.access.audit_chain import BEGINNING, ChainedEntry, ChainHead
from db.pool import Pool
from db.tenants import deletions, registry
from db.tenants.changes import NotFoundError
from relay.cli.speaking import NotNowError
from relay.core.retention import RetentionTerms

FAULTS_TOLD = 20
EARLIEST_END = timedelta(days=RetentionTerms().bounds["audit"].least)
"""No line of the log ends sooner."""
MOST_GONE = 100_000
LATE = timedelta(minutes=10)
"""What waits longer to be chained waits for a daemon that is not there."""


@dataclass(slots=True)
class ChainReport:
    """`faults` in words, the first FAULTS_TOLD; `remarks` are no faults of the chain."""

    head: ChainHead = field(default_factory=lambda: ChainHead(0, BEGINNING.hex()))
    faults: list[str] = field(default_factory=list)
    count: int = 0
    remarks: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        self.count += 1
        if self.count <= FAULTS_TOLD:
            self.faults.append(text)


def seal(settings: Settings) -> tuple[int, ChainHead]:
    """How many lines were chained now, and the newest of the chain."""
    count = 0
    with Pool(settings.database_url, size=1) as pool:
        while chained := audit_chain.seal(pool):
            count += chained
        return count, audit_chain.head(pool)


def verify(settings: Settings, noted: Iterable[ChainHead] = ()) -> ChainReport:
    """The whole chain, line by line, and that it leads through the heads that were noted elsewhere."""
    with Pool(settings.database_url, size=1) as pool:
        gone = {one.tenant_id for one in deletions.listed(pool, MOST_GONE) if one.begun_at}
        verdict = judged(audit_chain.chained(pool), noted, audit_chain.anchor(pool), gone)
        waiting, oldest = audit_chain.unchained(pool)
    if waiting:
        verdict.remarks.append(f"{waiting} newer lines are not chained yet")
    if oldest is not None and oldest < datetime.now(UTC) - LATE:
        verdict.remarks.append(f"the oldest of them is of {oldest:%Y-%m-%d %H:%M} UTC: does a daemon run?")
    return verdict


def head_of(given: str) -> ChainHead:
    """As `verify` prints it. Raises NotNowError."""
    number, _, digest = given.partition(":")
    if not number.isdecimal() or not re.fullmatch("[0-9a-f]{64}", digest):
        raise NotNowError(f"{given} is no head of the chain; one is a number, a colon and 64 hexadecimal digits")
    return ChainHead(int(number), digest)


def judged(
    lines: Iterable[ChainedEntry],
    noted: Iterable[ChainHead] = (),
    anchor: ChainHead | None = None,
    gone: Collection[str] = (),
) -> ChainReport:
    """Each line against its own hash and against the line before it; the first one against the anchor.

    Of a line that was emptied when its time was over, or with its tenant (`gone`), nothing but its place can be seen.
    """
    first = anchor or ChainReport().head
    verdict, wanted = ChainReport(first), {head.n: head.hash for head in noted if head.n > first.n}
    emptied = 0
    for line in lines:
        n, before = line.n or 0, verdict.head
        if n != before.n + 1:
            verdict.fault(f"{_range(before.n + 1, n - 1)} missing, before line {n} (id {line.id})")
        elif line.previous != before.hash:
            verdict.fault(f"line {n} (id {line.id}) does not follow from line {before.n}: chained anew, or exchanged")
        emptied += line.emptied_at is not None
        ended = line.emptied_at is not None and line.tenant_id in gone
        if not ended and (wrong := _altered(line)) is not None:
            verdict.fault(f"line {n} (id {line.id}{wrong}")
        if wanted.pop(n, line.hash) != line.hash:
            verdict.fault(f"line {n} (id {line.id}) is not the one whose digest was noted")
        verdict.head = ChainHead(n, line.hash or "")
    verdict.remarks += _ended(first, emptied)
    for n in sorted(wanted):
        verdict.fault(f"line {n}, whose digest was noted, is not there: lines were taken away at the end")
    return verdict


def _altered(line: ChainedEntry) -> str | None:
    if line.emptied_at is not None:
        return ") was emptied before its time" if line.emptied_at - line.at < EARLIEST_END else None
    if audit_chain.digest(line.told()).hex() == line.hash:
        return None
    return f", of {line.at:%Y-%m-%d %H:%M:%S} UTC) is not as it was written"


def _ended(first: ChainHead, emptied: int) -> Iterator[str]:
    if first.n:
        yield f"lines 1 to {first.n} have ended; the rest follows from {first}"
    if emptied:
        yield f"{emptied} lines have ended and are empty; the chain leads through their digests"


def _range(first: int, last: int) -> str:
    return f"line {first} is" if first >= last else f"lines {first} to {last} are"


def export(settings: Settings, tenant_id: str | None) -> Iterator[str]:
    """JSON, one line of the log each, the oldest first. Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        if tenant_id is not None and registry.get(pool, tenant_id) is None:
            raise NotFoundError(f"there is no tenant {tenant_id}")
        for line in audit_chain.exported(pool, tenant_id):
            yield line.json()
