"""What the providers' answers prove of a line. Pure: findings come in, a word or a sentence goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from db.tenants.onboarding import LineIds
from relay.channels.base import Channel, Finding
from relay.checks.line_checks import SIDES, CheckedSide, SideFindings, Subject

NAMES: dict[CheckedSide, str] = {"whatsapp": "WhatsApp", "genesys": "Genesys", "relay": "This relay"}
CREDENTIALS = frozenset({"token", "token_life"})
"""Checks whose refusal is about the credentials, and says nothing of the line."""
NOT_BLOCKING = ("app_secret",)
"""A no to how webhooks are proved, and not to the line."""
Word = Literal["holds", "gone", "locked_out", "silent"]
"""What an owner's own credentials show: they see its line's number; the provider says no; the provider refuses the
credentials; nobody can say."""


@dataclass(frozen=True, slots=True)
class LineProof:
    """A line, as it was when both providers were asked about it, and what they said."""

    pair: LineIds
    checked: Sequence[SideFindings]

    @property
    def refusal(self) -> str:
        """The first explicit no to the line itself, with its side; "" where there is none."""
        return next((f"{NAMES[one.side]}: {said(no)}" for one in self.checked for no in blocking(one)), "")

    @property
    def name(self) -> str:
        """What WhatsApp calls the number; "" where it did not say."""
        found = (finding.name for one in self.checked if one.side == "whatsapp" for finding in one.findings)
        return next(filter(None, found), "")


def pair_of(subject: Subject) -> LineIds:
    """What the providers were asked about, whatever the row says by now."""
    refs = [account.line_ref if account else "" for account in (subject.whatsapp, subject.genesys)]
    return LineIds(subject.line_id, refs[0], refs[1])


def blocking(one: SideFindings) -> list[Finding]:
    """What keeps a line from going live: a provider's no to the line itself."""
    return [finding for finding in one.refused if finding.check not in NOT_BLOCKING]


def unproven(channels: Mapping[str, Channel], checked: Sequence[SideFindings]) -> str:
    """What is missing for proof, in words with what to do; "" when both sides have proved it."""
    missing: list[str] = []
    for side in SIDES:
        found = [finding for one in checked if one.side == side for finding in one.findings]
        for proof in channels[side].proofs:
            if not any(finding.check == proof and finding.level == "ok" for finding in found):
                missing.append(_missing(side, proof, found))
    return " ".join(dict.fromkeys(missing))


def _missing(side: CheckedSide, proof: str, found: Sequence[Finding]) -> str:
    """What was said of this proof, else of what came before it."""
    bad = [finding for finding in found if finding.level != "ok"]
    told = next((one for one in bad if one.check == proof), None) or next(iter(bad), None)
    return f"{NAMES[side]}: {said(told) if told else 'it was not asked.'}"


def said(finding: Finding) -> str:
    """Sentences: what was found, and what to do."""
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
