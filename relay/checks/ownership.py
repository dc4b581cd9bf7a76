"""Whose is it? A line goes live for the first time on proof from both providers, and on nothing less.

What cannot be looked up leaves the line waiting, and the daemons ask again. What proof is, is in
`relay.checks.proof`; what becomes of another tenant's live line with the same number, in `relay.checks.owners`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from db.audit import Author
from db.tenants import onboarding, ownership
from db.tenants.changes import Changes, NotFoundError, TakenError
from db.tenants.onboarding import Line, LineIds
from db.tenants.ownership import RELAY, DueLine, Owner
from relay.checks import line_checks
from relay.checks.owners import OwnerCheck, Owners
from relay.checks.proof import LineProof, pair_of, unproven

log = structlog.get_logger(__name__)

MOST_CHANGES = 3
"""So often owners may change while they are asked; then whoever asks waits, and the daemons ask again."""


@dataclass(frozen=True, slots=True)
class GoLiveDecision:
    """What is to become of a line that asks to go live. `gone`: owners whose lines pass on to it."""

    pair: LineIds
    outcome: Literal["live", "waits", "taken"]
    reason: str = ""
    taken: TakenError | None = None
    gone: tuple[Owner, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Decides, and writes down."""

    owners: Owners

    def settle(self, changes: Changes, by: Author, tenant_id: str, lines: Sequence[LineProof]) -> list[Line]:
        """Lines of one tenant that are not live yet and that nobody refused. Returns those that are live now.

        Those without proof wait. Raises TakenError when an owner holds what one of them asks for: then none goes live.
        """
        decided = self.decide(tenant_id, lines)
        for one in decided:
            if one.taken is not None:
                onboarding.refuse(changes, by, tenant_id, one.pair.line_id, one.reason)
            elif one.outcome == "waits":
                ownership.wait(changes, by, tenant_id, one.pair.line_id, one.reason)
        for one in decided:
            if one.taken is not None:
                raise one.taken
        return self._go_live(changes, by, tenant_id, [one for one in decided if one.outcome == "live"])

    def ask_again(self, due: DueLine) -> None:
        """A line that waits, once more. Raises StoreError; the line is asked about again then."""
        everybody = self.owners.everybody
        for subject in self.owners.subjects(due.tenant_id, due.line_id):
            one = LineProof(
                pair_of(subject), line_checks.check_sides(self.owners.channels, [subject], self.owners.ours)
            )
            [decision] = self.decide(due.tenant_id, [one])
            reason = one.refusal or (decision.reason if decision.outcome == "taken" else "")
            if not ownership.is_ours(everybody.pool, due):
                return  # somebody entered other credentials meanwhile, or completed the onboarding: that counts
            if reason:
                onboarding.refuse(everybody, RELAY, due.tenant_id, due.line_id, reason)
            elif decision.outcome == "waits":
                ownership.ask_later(everybody, due, decision.reason)
            else:
                self._prove(due, decision)

    def _prove(self, due: DueLine, decision: GoLiveDecision) -> None:
        try:
            self._go_live(self.owners.everybody, RELAY, due.tenant_id, [decision])
        except (TakenError, NotFoundError) as error:  # somebody else was faster, or the line was changed meanwhile
            ownership.ask_later(self.owners.everybody, due, f"Not live: {error}.")
            return
        log.info("line_proved", tenant_id=due.tenant_id, line_id=due.line_id, asked=due.asked + 1)

    def decide(self, tenant_id: str, lines: Sequence[LineProof]) -> list[GoLiveDecision]:
        """Proof first: whoever has none learns nothing of who else has the number, and nobody is asked for them."""
        missing = [one.refusal or unproven(self.owners.channels, one.checked) for one in lines]
        asked = [one.pair for one, why in zip(lines, missing, strict=True) if not why]
        owners, standings = self._owners(tenant_id, asked)
        return [
            GoLiveDecision(one.pair, "waits", why) if why else self._among(one, owners[one.pair], standings)
            for one, why in zip(lines, missing, strict=True)
        ]

    def _owners(
        self, tenant_id: str, asked: Sequence[LineIds]
    ) -> tuple[dict[LineIds, list[Owner]], dict[Owner, OwnerCheck]]:
        """Who has what is asked for, and what their credentials show. Asked anew where that changed meanwhile.

        A line that passed on to somebody else while it was asked shows nothing, which is not its provider's silence.
        """
        standings: dict[Owner, OwnerCheck] = {}
        owners = {pair: self.owners.of(tenant_id, pair) for pair in asked}
        for _ in range(MOST_CHANGES):
            everybody = dict.fromkeys(owner for some in owners.values() for owner in some)
            standings |= self.owners.asked([owner for owner in everybody if owner not in standings])
            before, owners = owners, {pair: self.owners.of(tenant_id, pair) for pair in asked}
            if owners == before:
                return owners, standings
        unasked = {owner for some in owners.values() for owner in some} - standings.keys()
        return owners, standings | {owner: OwnerCheck(owner, "silent") for owner in unasked}

    def _among(
        self, proof: LineProof, owners: Sequence[Owner], standings: Mapping[Owner, OwnerCheck]
    ) -> GoLiveDecision:
        """A line with proof, among those that have what it asks for."""
        pair = proof.pair
        for owner in owners:
            if standings[owner].word == "holds":
                taken = onboarding.taken(owner.side)
                return GoLiveDecision(pair, "taken", str(taken), taken)
        waits = [why for owner in owners if (why := self.owners.keeps(standings[owner]))]
        if waits:
            return GoLiveDecision(pair, "waits", " ".join(waits))
        return GoLiveDecision(pair, "live", gone=tuple(owners), name=proof.name)

    def _go_live(self, changes: Changes, by: Author, tenant_id: str, decided: Sequence[GoLiveDecision]) -> list[Line]:
        """Owners that are gone let go first; then the database decides. Raises TakenError, NotFoundError."""
        if not decided:
            return []
        for one in decided:
            for owner in one.gone:
                self.owners.pass_on(owner, tenant_id, one.pair)
        ids = [one.pair.line_id for one in decided]
        names = {one.pair.line_id: one.name for one in decided if one.name}
        active = onboarding.activate(changes, by, tenant_id, [one.pair for one in decided], names)
        return [line for line in active if line.id in ids]
