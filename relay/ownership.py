"""Whose is it? A line goes live for the first time on proof from both providers, and on nothing less.

What cannot be looked up leaves the line waiting, and the daemons ask again. Where another tenant's live line has the
number or the integration, that owner's own credentials are asked now: they see it, and the newcomer is refused; an
explicit no, and the line passes on; no answer, and the newcomer waits. A provider that only refuses the owner's
credentials has not said whose the number is: so the owner has DISPUTE_SECONDS to enter valid ones, counted while the
newcomer's asking sees nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from db import onboarding, ownership
from db.audit import By
from db.changes import Changes, NotFoundError, TakenError
from db.onboarding import Line, Pair
from db.ownership import Due, Owner
from db.sealing import Cipher
from relay import checks
from relay.channels.base import Channel, Finding
from relay.checks import SIDES, Checked, Ours, Part, Subject

log = structlog.get_logger(__name__)

DISPUTE_SECONDS = 24 * 3600.0
NAMES: dict[Part, str] = {"whatsapp": "WhatsApp", "genesys": "Genesys", "relay": "This relay"}
THING = {"whatsapp": "phone number", "genesys": "Genesys integration"}
Word = Literal["holds", "gone", "locked_out", "silent"]
"""What an owner's own credentials show: it sees its line's number; the provider says no; the provider refuses the
credentials; nobody can say."""

CREDENTIALS = frozenset({"token", "token_life"})
"""Checks whose refusal is about the credentials, and says nothing of the line."""
NOT_BLOCKING = ("app_secret",)
"""A no to how webhooks are proved, and not to the line."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A line, as it was when both providers were asked about it, and what they said."""

    pair: Pair
    checked: Sequence[Checked]

    @property
    def refusal(self) -> str:
        """The first explicit no to the line itself, with its side; "" where there is none."""
        return next((f"{NAMES[one.side]}: {_said(no)}" for one in self.checked for no in blocking(one)), "")


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a line that asks to go live. `gone`: owners whose lines pass on to it."""

    pair: Pair
    outcome: Literal["live", "waits", "taken"]
    reason: str = ""
    taken: TakenError | None = None
    gone: tuple[Owner, ...] = ()


def pair_of(subject: Subject) -> Pair:
    """What the providers were asked about, whatever the row says by now."""
    refs = [account.line_ref if account else "" for account in (subject.whatsapp, subject.genesys)]
    return Pair(subject.line_id, refs[0], refs[1])


def blocking(one: Checked) -> list[Finding]:
    """What keeps a line from going live: a provider's no to the line itself."""
    return [finding for finding in one.refused if finding.check not in NOT_BLOCKING]


def unproven(channels: Mapping[str, Channel], checked: Sequence[Checked]) -> str:
    """What is missing for proof, in words with what to do; "" when both sides have proved it."""
    missing: list[str] = []
    for side in SIDES:
        found = [finding for one in checked if one.side == side for finding in one.findings]
        for proof in channels[side].proofs:
            if not any(finding.check == proof and finding.level == "ok" for finding in found):
                missing.append(_missing(side, proof, found))
    return " ".join(dict.fromkeys(missing))


def _missing(side: Part, proof: str, found: Sequence[Finding]) -> str:
    """What was said of this proof, else of what came before it."""
    bad = [finding for finding in found if finding.level != "ok"]
    said = next((one for one in bad if one.check == proof), None) or next(iter(bad), None)
    return f"{NAMES[side]}: {_said(said) if said else 'it was not asked.'}"


def _said(finding: Finding) -> str:
    return f"{finding.text}. {finding.advice}".strip()


def word_of(channel: Channel, findings: Sequence[Finding]) -> Word:
    """What an owner's own credentials show of its number or integration."""
    sees = {finding.level for finding in findings if finding.check == channel.proofs[0]}
    if "ok" in sees:
        return "holds"
    if "refused" in sees:
        return "gone"
    refused = {finding.check for finding in findings if finding.level == "refused"}
    return "locked_out" if refused & CREDENTIALS else "silent"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Decides, and writes down. `everybody` reaches all tenants' lines: another owner's has to be looked at."""

    everybody: Changes
    cipher: Cipher = field(repr=False)
    channels: Mapping[str, Channel]
    ours: Ours

    def settle(self, changes: Changes, by: By, tenant_id: str, lines: Sequence[Asked]) -> list[Line]:
        """Lines of one tenant that are not live yet and that nobody refused. Returns those that are live now.

        Those without proof wait. Raises TakenError when an owner holds what one of them asks for: then none goes live.
        """
        decided = [self.decide(tenant_id, one) for one in lines]
        taken = [one for one in decided if one.taken is not None]
        for one in taken:
            onboarding.refuse(changes, by, tenant_id, one.pair.line_id, one.reason)
        for one in decided:
            if one.outcome == "waits":
                ownership.wait(changes, by, tenant_id, one.pair.line_id, one.reason)
        if taken and taken[0].taken is not None:
            raise taken[0].taken
        return self.go_live(changes, by, tenant_id, [one for one in decided if one.outcome == "live"])

    def go_live(self, changes: Changes, by: By, tenant_id: str, decided: Sequence[Decision]) -> list[Line]:
        """Owners that are gone let go first; then the database decides. Raises TakenError, NotFoundError."""
        if not decided:
            return []
        for one in decided:
            for owner in one.gone:
                self._pass_on(owner, tenant_id, one.pair)
        ids = [one.pair.line_id for one in decided]
        active = onboarding.activate(changes, by, tenant_id, [one.pair for one in decided])
        return [line for line in active if line.id in ids]

    def ask_again(self, due: Due) -> None:
        """A line that waits, once more. Raises StoreError; the line is asked about again then."""
        for subject in self._subjects(due.tenant_id, due.line_id):
            one = Asked(pair_of(subject), checks.check_sides(self.channels, [subject], self.ours))
            decision = None if one.refusal else self.decide(due.tenant_id, one)
            if decision is None or decision.outcome == "taken":
                reason = decision.reason if decision else one.refusal
                onboarding.refuse(self.everybody, ownership.RELAY, due.tenant_id, due.line_id, reason)
            elif decision.outcome == "waits":
                ownership.ask_later(self.everybody, due, decision.reason)
            else:
                self._prove(due, decision)

    def _prove(self, due: Due, decision: Decision) -> None:
        try:
            self.go_live(self.everybody, ownership.RELAY, due.tenant_id, [decision])
        except (TakenError, NotFoundError) as error:  # somebody else was faster, or the line was changed meanwhile
            ownership.ask_later(self.everybody, due, f"Not live: {error}.")
            return
        log.info("line_proved", tenant_id=due.tenant_id, line_id=due.line_id, asked=due.asked + 1)

    def decide(self, tenant_id: str, one: Asked) -> Decision:
        """Proof first: whoever has none learns nothing of who else has the number."""
        missing = unproven(self.channels, one.checked)
        if missing:
            return Decision(one.pair, "waits", missing)
        owners = ownership.owners(self.everybody.pool, tenant_id, one.pair.phone_number_id, one.pair.integration_id)
        words = self._words(owners)
        for owner, (word, _) in zip(owners, words, strict=True):
            if word == "holds":
                taken = onboarding.taken(owner.side)
                return Decision(one.pair, "taken", str(taken), taken)
        waits = [why for owner, said in zip(owners, words, strict=True) if (why := self._still(owner, *said))]
        if waits:
            return Decision(one.pair, "waits", " ".join(waits))
        return Decision(one.pair, "live", gone=tuple(owners))

    def _words(self, owners: Sequence[Owner]) -> list[tuple[Word, str]]:
        """Each owner's own credentials, asked now about the side in question."""
        if not owners:
            return []
        parts: list[tuple[Subject, Part]] = []
        for owner in owners:
            parts += [(subject, owner.side) for subject in self._subjects(owner.tenant_id, owner.line_id)]
        found = {(one.line_id, one.side): one for one in checks.check_parts(self.channels, parts, self.ours)}
        words: list[tuple[Word, str]] = []
        for owner in owners:
            asked = found.get((owner.line_id, owner.side))
            findings = asked.findings if asked else ()
            said = next((_said(one) for one in findings if one.level == "refused"), "")
            words.append((word_of(self.channels[owner.side], findings), said))
            if words[-1][0] == "holds":
                ownership.settle_dispute(self.everybody.pool, owner.line_id)
        return words

    def _still(self, owner: Owner, word: Word, said: str) -> str:
        """Why the newcomer has to wait for this owner, "" where it does not. Who the owner is, is not told."""
        thing = THING[owner.side]
        if word == "silent":
            return (
                f"Another tenant's line has this {thing}, and whether it still owns it could not be looked up just now."
            )
        if word == "locked_out":
            reason = f"another tenant has proved that this {thing} is theirs, and {NAMES[owner.side]} refuses your "
            reason += f"credentials: {said} Enter valid ones within 24 hours, or the line is released."
            if ownership.dispute(self.everybody, owner, reason) < DISPUTE_SECONDS:
                return (
                    f"Another tenant's line has this {thing}; that tenant has 24 hours to prove that it still owns it."
                )
        return ""

    def _pass_on(self, owner: Owner, tenant_id: str, pair: Pair) -> None:
        reason = (
            f"another tenant has proved that this {THING[owner.side]} is theirs, and {NAMES[owner.side]} no longer "
        )
        reason += "shows it to the credentials that are entered here"
        try:
            ownership.release(self.everybody, ownership.RELAY, owner.tenant_id, owner.line_id, reason)
        except TakenError:  # released a moment ago: by the operator, or for somebody else who asked at the same time
            return
        ownership.note_transfer(self.everybody.pool, owner, tenant_id, pair.line_id)
        log.warning("line_passed_on", line_id=owner.line_id, from_tenant=owner.tenant_id, to_tenant=tenant_id)

    def _subjects(self, tenant_id: str, line_id: str) -> list[Subject]:
        return checks.subjects(self.everybody.pool, self.cipher, self.ours, tenant_id, (line_id,))
