"""Other tenants' live lines that have what a newcomer with proof asks for: their own credentials are asked now.

They see it, and the newcomer is refused; an explicit no, and the line passes on; no answer, and the newcomer waits. A
provider that only refuses the owner's credentials has not said whose the number is: so the owner has DISPUTE_SECONDS
to enter valid ones, counted while the newcomer's asking sees nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from db.sealing import Cipher
from db.tenants import ownership
from db.tenants.changes import Changes, TakenError
from db.tenants.onboarding import LineIds
from db.tenants.ownership import Owner
from relay.channels.base import Channel
from relay.checks import line_checks
from relay.checks.line_checks import CheckedSide, OwnInstallation, Subject
from relay.checks.proof import NAMES, Word, said, word_of

log = structlog.get_logger(__name__)

DISPUTE_SECONDS = 24 * 3600.0
THING = {"whatsapp": "phone number", "genesys": "Genesys integration"}


@dataclass(frozen=True, slots=True)
class OwnerCheck:
    """What an owner's own credentials show, and the provider's no in words where there is one."""

    owner: Owner
    word: Word
    no: str = ""


@dataclass(frozen=True, slots=True)
class Owners:
    """`everybody` reaches all tenants' lines."""

    everybody: Changes
    cipher: Cipher = field(repr=False)
    channels: Mapping[str, Channel]
    ours: OwnInstallation

    def of(self, tenant_id: str, pair: LineIds) -> list[Owner]:
        return ownership.owners(self.everybody.pool, tenant_id, pair.phone_number_id, pair.integration_id)

    def asked(self, owners: Sequence[Owner]) -> dict[Owner, OwnerCheck]:
        """All of them side by side, in the time of one check; who is late is silent."""
        if not owners:
            return {}
        parts: list[tuple[Subject, CheckedSide]] = []
        for owner in owners:
            parts += [(subject, owner.side) for subject in self.subjects(owner.tenant_id, owner.line_id)]
        found = {(one.line_id, one.side): one for one in line_checks.check_parts(self.channels, parts, self.ours)}
        standings: dict[Owner, OwnerCheck] = {}
        for owner in owners:
            one = found.get((owner.line_id, owner.side))
            findings = one.findings if one else ()
            no = next((said(finding) for finding in findings if finding.level == "refused"), "")
            standings[owner] = OwnerCheck(owner, word_of(self.channels[owner.side], findings), no)
            if standings[owner].word == "holds":
                ownership.settle_dispute(self.everybody.pool, owner.line_id)
        return standings

    def keeps(self, standing: OwnerCheck) -> str:
        """Why the newcomer has to wait for this owner, "" where it does not. Who the owner is, is not told."""
        thing, provider = THING[standing.owner.side], NAMES[standing.owner.side]
        if standing.word == "silent":
            return f"Another tenant's line has this {thing}, and whether it still owns it could not be looked up now."
        if standing.word == "locked_out":
            reason = f"another tenant has proved that this {thing} is theirs, and {provider} refuses your credentials: "
            reason += f"{standing.no} Enter valid ones within 24 hours, or the line is released."
            if ownership.dispute(self.everybody, standing.owner, reason) < DISPUTE_SECONDS:
                return f"Another tenant's line has this {thing}; that tenant has 24 hours to prove that it still is."
        return ""

    def pass_on(self, owner: Owner, tenant_id: str, pair: LineIds) -> None:
        """The owner's line is released, and its people are told."""
        thing, provider = THING[owner.side], NAMES[owner.side]
        reason = f"another tenant has proved that this {thing} is theirs, and {provider} no longer shows it to the "
        reason += "credentials that are entered here"
        try:
            ownership.release(self.everybody, ownership.RELAY, owner.tenant_id, owner.line_id, reason)
        except TakenError:  # released a moment ago: by the operator, or for somebody else who asked at the same time
            return
        ownership.note_transfer(self.everybody.pool, owner, tenant_id, pair.line_id)
        log.warning("line_passed_on", line_id=owner.line_id, from_tenant=owner.tenant_id, to_tenant=tenant_id)

    def subjects(self, tenant_id: str, line_id: str) -> list[Subject]:
        """The line as it is stored, ready to be checked; nothing where there is none."""
        return line_checks.subjects(self.everybody.pool, self.cipher, self.ours, tenant_id, (line_id,))
