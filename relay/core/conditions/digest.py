"""One message about all that has changed: what is wrong, what is over, and what came and went meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from relay.core.conditions.kinds import KINDS

SHOWN = 20
"""Of each part; the page has the rest."""
SUBJECT_LENGTH = 150
SIDES = {"whatsapp": "WhatsApp", "genesys": "Genesys", "relay": "the relay itself"}


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """A condition began, or is over (`what`: begun, over). `line` is what people know it by; "" where it has none."""

    id: int
    condition_id: int
    what: str
    tenant_id: str
    tenant: str
    kind: str
    line_id: str | None
    line: str
    subject: str
    detail: str
    begun_at: datetime
    over_at: datetime | None


@dataclass(frozen=True, slots=True)
class Digest:
    """Subject and text of an e-mail."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class _Sorted:
    begun: list[ConditionChange]
    over: list[ConditionChange]
    passed: list[ConditionChange]
    """Began and ended before anybody was told."""


def title(one: ConditionChange) -> str:
    """What is wrong, and with what: one line."""
    return words(one.kind, one.line, one.subject)


def words(kind: str, line: str, subject: str) -> str:
    """The same of its parts. `line` is what people know the line by; "" where there is none."""
    about = line and f"Line {line}"
    if kind == "template_paused":
        about = f"Template {subject}"
    elif subject in SIDES:
        about = f"{about}, {SIDES[subject]}" if about else SIDES[subject][:1].upper() + SIDES[subject][1:]
    what = KINDS[kind].title if kind in KINDS else kind.replace("_", " ")
    return " ".join((f"{about}: {what}" if about else what).split())


def compose(changes: Sequence[ConditionChange], public_url: str, zone: str, *, many_tenants: bool) -> Digest | None:
    """None: nothing of it is worth a word. `many_tenants`: each is named, since the reader sees several."""
    parts = _sorted(changes)
    if not (parts.begun or parts.over or parts.passed):
        return None
    writer = _Writer(public_url.rstrip("/"), ZoneInfo(zone), many_tenants)
    blocks = [
        *writer.part("Wrong now", parts.begun),
        *writer.part("Over", parts.over),
        *writer.part("Came and went, before you could be told", parts.passed),
        f"All of it: {writer.page(changes[-1])}",
        f"You get this because your account says so; change that, or your quiet hours, at {writer.url}/portal/account",
    ]
    return Digest(_subject(parts), "\n\n".join(blocks) + "\n")


def _sorted(changes: Iterable[ConditionChange]) -> _Sorted:
    begun = {one.condition_id: one for one in changes if one.what == "begun"}
    ended = [one for one in changes if one.what == "over"]
    passed = [one for one in ended if one.condition_id in begun]
    gone = {one.condition_id for one in passed}
    over = [one for one in ended if one.condition_id not in gone]
    return _Sorted([one for one in begun.values() if one.condition_id not in gone], over, passed)


def _subject(parts: _Sorted) -> str:
    every = [*parts.begun, *parts.over, *parts.passed]
    if len(every) == 1:
        text = title(every[0]) if parts.begun else f"Over: {title(every[0])}"
    else:
        counts = ((len(parts.begun), "wrong"), (len(parts.over), "over"), (len(parts.passed), "came and went"))
        text = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"Relay: {text}"[:SUBJECT_LENGTH]


@dataclass(frozen=True, slots=True)
class _Writer:
    url: str
    zone: ZoneInfo
    many_tenants: bool

    def part(self, name: str, changes: Sequence[ConditionChange]) -> list[str]:
        if not changes:
            return []
        more = [f"... and {len(changes) - SHOWN:,} more."] if len(changes) > SHOWN else []
        return [f"{name} ({len(changes):,})", *(self._one(one) for one in changes[:SHOWN]), *more]

    def _one(self, one: ConditionChange) -> str:
        tenant = f"{one.tenant}: " if self.many_tenants else ""
        lines = [f"* {tenant}{title(one)}", f"  {self._when(one)}"]
        if one.over_at is None or one.what == "begun":
            kind = KINDS.get(one.kind)
            lines += [f"  It says: {one.detail}."] if one.detail else []
            lines += [f"  {kind.meaning}", f"  {kind.advice}", f"  {self.page(one, kind.page)}"] if kind else []
        return "\n".join(lines)

    def _when(self, one: ConditionChange) -> str:
        since = self._moment(one.begun_at)
        return f"Since {since}." if one.what == "begun" else f"From {since} to {self._moment(one.over_at)}."

    def _moment(self, at: datetime | None) -> str:
        return at.astimezone(self.zone).strftime("%d %b %Y, %H:%M %Z") if at else "now"

    def page(self, one: ConditionChange, name: str = "conditions") -> str:
        if self.many_tenants and name == "conditions":
            return f"{self.url}/portal/conditions"
        path = "" if name == "dashboard" else f"/{name}"
        return f"{self.url}/portal/tenants/{one.tenant_id}{path}"
