"""One message about all that has changed: what is wrong, what is over, and what came and went meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from relay.core.conditions.kinds import KINDS
from relay.core.languages import DEFAULT, Phrase, Say, phrase

SHOWN = 20
"""Of each part; the page has the rest."""
SUBJECT_LENGTH = 150
SIDES = {"whatsapp": "WhatsApp", "genesys": "Genesys", "relay": phrase("The relay itself")}


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


def title(one: ConditionChange) -> Phrase:
    """What is wrong, and with what: one line."""
    return words(one.kind, one.line, one.subject)


def words(kind: str, line: str, subject: str) -> Phrase:
    """The same of its parts. `line` is what people know the line by; "" where there is none."""
    what = KINDS[kind].title if kind in KINDS else kind.replace("_", " ")
    line, subject = " ".join(line.split()), " ".join(subject.split())
    if kind == "template_paused":
        return phrase("Template %(name)s: %(what)s", name=subject, what=what)
    if subject in SIDES and line:
        return phrase("Line %(line)s, %(side)s: %(what)s", line=line, side=_within(subject), what=what)
    if subject in SIDES:
        return phrase("%(side)s: %(what)s", side=SIDES[subject], what=what)
    return phrase("Line %(line)s: %(what)s", line=line, what=what) if line else phrase("%(what)s", what=what)


def _within(side: str) -> str:
    return phrase("the relay itself") if side == "relay" else SIDES[side]


def compose(
    changes: Sequence[ConditionChange],
    public_url: str,
    zone: str,
    leave_url: str,
    *,
    many_tenants: bool,
    say: Say = str,
    language: str = DEFAULT,
) -> Digest | None:
    """None: nothing of it is worth a word. `leave_url`: by which no more is sent. `many_tenants`: each is named, since
    the reader sees several; `say` says a phrase in their `language`.
    """
    parts = _sorted(changes)
    if not (parts.begun or parts.over or parts.passed):
        return None
    writer = _Writer(public_url.rstrip("/"), ZoneInfo(zone), many_tenants, say, language)
    blocks = [
        *writer.part(phrase("Wrong now"), parts.begun),
        *writer.part(phrase("Over"), parts.over),
        *writer.part(phrase("Came and went, before you could be told"), parts.passed),
        say(phrase("All of it: %(page)s", page=writer.page(changes[-1]))),
        say(
            phrase(
                "You get this because your account says so; change that, or your quiet hours, at %(page)s",
                page=writer.url + "/portal/account",
            )
        ),
        say(phrase("No more of these mails: %(page)s", page=leave_url)),
    ]
    return Digest(_subject(parts, say), "\n\n".join(blocks) + "\n")


def _sorted(changes: Iterable[ConditionChange]) -> _Sorted:
    begun = {one.condition_id: one for one in changes if one.what == "begun"}
    ended = [one for one in changes if one.what == "over"]
    passed = [one for one in ended if one.condition_id in begun]
    gone = {one.condition_id for one in passed}
    over = [one for one in ended if one.condition_id not in gone]
    return _Sorted([one for one in begun.values() if one.condition_id not in gone], over, passed)


def _subject(parts: _Sorted, say: Say) -> str:
    every = [*parts.begun, *parts.over, *parts.passed]
    if len(every) == 1:
        one = title(every[0])
        text = say(one if parts.begun else phrase("Over: %(what)s", what=one))
    else:
        counts = (
            (len(parts.begun), phrase("%(count)s wrong", count=len(parts.begun))),
            (len(parts.over), phrase("%(count)s over", count=len(parts.over))),
            (len(parts.passed), phrase("%(count)s came and went", count=len(parts.passed))),
        )
        text = ", ".join(say(words) for count, words in counts if count)
    return f"Relay: {text}"[:SUBJECT_LENGTH]


@dataclass(frozen=True, slots=True)
class _Writer:
    url: str
    zone: ZoneInfo
    many_tenants: bool
    say: Say
    language: str

    def part(self, name: str, changes: Sequence[ConditionChange]) -> list[str]:
        if not changes:
            return []
        rest = len(changes) - SHOWN
        more = [self.say(phrase("... and %(count)s more.", count=rest))] if rest > 0 else []
        return [f"{self.say(name)} ({len(changes):,})", *(self._one(one) for one in changes[:SHOWN]), *more]

    def _one(self, one: ConditionChange) -> str:
        tenant = f"{one.tenant}: " if self.many_tenants else ""
        lines = [f"* {tenant}{self.say(title(one))}", f"  {self._when(one)}"]
        if one.over_at is None or one.what == "begun":
            kind = KINDS.get(one.kind)
            if one.detail:
                lines.append("  " + self.say(phrase("It says: %(detail)s.", detail=self.say(one.detail))))
            told = [self.say(kind.meaning), self.say(kind.advice), self.page(one, kind.page)] if kind else []
            lines += [f"  {each}" for each in told]
        return "\n".join(lines)

    def _when(self, one: ConditionChange) -> str:
        since = self._moment(one.begun_at)
        if one.what == "begun":
            return self.say(phrase("Since %(since)s.", since=since))
        return self.say(phrase("From %(since)s to %(until)s.", since=since, until=self._moment(one.over_at)))

    def _moment(self, at: datetime | None) -> str:
        if at is None:
            return self.say(phrase("now"))
        local = at.astimezone(self.zone)
        return f"{format_datetime(local, 'dd MMM yyyy, HH:mm', locale=self.language)} {local:%Z}"

    def page(self, one: ConditionChange, name: str = "conditions") -> str:
        if self.many_tenants and name == "conditions":
            return f"{self.url}/portal/conditions"
        path = "" if name == "dashboard" else f"/{name}"
        return f"{self.url}/portal/tenants/{one.tenant_id}{path}"
