"""Where a tenant's set-up stands: what is stored for good, what was typed since, and what the checks said.

What was typed waits, sealed, in the draft. A side that its provider does not refuse is stored as the
tenant's credentials, and leaves the draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from db.tenants import credentials, drafts, onboarding
from db.tenants.drafts import OnboardingDraft
from db.tenants.onboarding import Line
from db.tenants.registry import Tenant
from relay.channels.base import Account, Finding, Offer
from relay.checks.line_checks import REF, SIDES, OwnInstallation, Side, Subject, expected_of
from web.api.tenants import checks
from web.portal.frame.blueprint import tenant, tenant_pool
from web.portal.frame.language import _, _l
from web.request.context import web_context

Key = Literal["welcome", "organisation", "genesys", "whatsapp", "review"]
STEPS: tuple[Key, ...] = ("welcome", "organisation", "genesys", "whatsapp", "review")
TITLES: dict[Key, str] = {
    "welcome": _l("Welcome"),
    "organisation": _l("Organisation"),
    "genesys": _l("Genesys"),
    "whatsapp": _l("WhatsApp"),
    "review": _l("Go live"),
}
WORDS = {"done": _l("done"), "mend": _l("needs mending"), "begun": _l("begun"), "open": _l("to do")}
NEEDED: dict[Side, tuple[str, ...]] = {
    "genesys": ("region", "client_id", "client_secret", "integration_id", "webhook_secret"),
    "whatsapp": ("waba_id", "access_token", "phone_number_id"),
}
OWN_APP = ("app_secret", "verify_token")
Shown = tuple[str, str, str, str]
"""A finding as it is kept: check, level, text, advice."""


@dataclass(frozen=True, slots=True)
class WizardStep:
    """One part of the progress bar."""

    n: int
    key: Key
    title: str
    state: str
    word: str


@dataclass(frozen=True, slots=True)
class Setup:
    """One tenant's set-up as it was when it was read. Holds secrets in clear: hand no part of it to a page as it is."""

    tenant: Tenant
    draft: OnboardingDraft = field(repr=False)
    stored: dict[Side, dict[str, str]] = field(repr=False)
    health: dict[Side, str]
    lines: list[Line]

    def values(self, side: Side) -> dict[str, str]:
        """What counts: the stored values, and over them what was typed since."""
        found = {**self.stored[side], **self.draft.values.get(side, {})}
        if side == "whatsapp" and not self.own_app:
            found = {name: value for name, value in found.items() if name not in OWN_APP}
        return found

    @property
    def own_app(self) -> bool:
        """Whether the tenant's number belongs to a Meta app of its own, not to the platform's."""
        chosen = self.draft.values.get("app")
        if chosen is not None or not web_context().meta_app_secret:
            return chosen != "platform"
        return not self.stored["whatsapp"] or "app_secret" in self.stored["whatsapp"]

    def missing(self, side: Side) -> list[str]:
        held = self.values(side)
        wanted = NEEDED[side] + (OWN_APP if side == "whatsapp" and self.own_app else ())
        return [name for name in wanted if not held.get(name)]

    def typed(self, side: Side) -> bool:
        """Something of this side waits in the draft."""
        return bool(self.draft.values.get(side)) or (side == "whatsapp" and "app" in self.draft.values)

    def findings(self, side: Side) -> list[Shown]:
        return [(one[0], one[1], one[2], one[3]) for one in self.draft.values.get("findings", {}).get(side, [])]

    def offers(self, side: Side) -> list[Offer]:
        return [Offer(*one) for one in self.draft.values.get("offers", {}).get(side, [])]

    def name_of(self, side: Side) -> str:
        """What the provider calls the number or integration that is chosen; "" where it was not asked."""
        ref = self.values(side).get(REF[side])
        return next((one.name for one in self.offers(side) if one.ref == ref), "")

    def side_state(self, side: Side) -> str:
        refused = any(level == "refused" for _, level, _, _ in self.findings(side))
        if refused or (not self.typed(side) and self.health[side] == "refused"):
            return "mend"
        if self.typed(side):
            return "begun"
        return "open" if self.missing(side) else "done"

    def state(self, key: Key) -> str:
        if key in ("genesys", "whatsapp"):
            return self.side_state(key)
        if key == "review":
            if any(line.status == "active" for line in self.lines):
                return "done"
            return "begun" if any(line.ask_at for line in self.lines) else "open"
        reached = self.draft.step > STEPS.index(key) + 1
        return "done" if reached or self.tenant.status != "onboarding" else "open"

    def steps(self) -> list[WizardStep]:
        return [
            WizardStep(n, key, TITLES[key], self.state(key), WORDS[self.state(key)])
            for n, key in enumerate(STEPS, start=1)
        ]

    @property
    def ready(self) -> bool:
        """Both sides are stored: it may go live."""
        return not any(self.missing(side) or self.typed(side) for side in NEEDED)

    def line(self) -> Line | None:
        """The line of the pair that is set up, where there is one already."""
        pair = tuple(self.values(side).get(REF[side]) for side in SIDES)
        found = [one for one in self.lines if (one.phone_number_id, one.integration_id) == pair]
        return next((one for one in found if one.status != "released"), None)

    def url(self, side: Side) -> str:
        """The address to enter at the provider. A line's own exists once there is a line."""
        if side == "whatsapp":
            secret = self.values(side).get("app_secret") or (_("still to be typed") if self.own_app else "")
            return ours().meta_url(self.tenant.webhook_key, secret)
        line = self.line()
        return ours().genesys_url(line.webhook_key) if line else f"{web_context().public_url}/webhook/genesys"

    def addresses(self, side: Side) -> tuple[str, ...]:
        """Every address by which this side's webhooks reach us."""
        return expected_of(self.subject(), ours(), side, thorough=True).webhook_urls

    def account(self, side: Side) -> Account:
        held = self.values(side)
        line = self.line()
        settings = line.settings if line else {}
        return Account(self.tenant.id, line.id if line else "", held.get(REF[side], ""), held, settings)

    def subject(self) -> Subject:
        """Both sides as they would go live, for all checks at once."""
        line, number = self.line(), self.account("whatsapp")
        # A tenant without a Meta app of its own is proved by the platform's.
        secret = ours().app_secret(number.credentials.get("app_secret", ""))
        whatsapp = replace(number, credentials={**number.credentials, "app_secret": secret})
        return Subject(
            tenant_id=self.tenant.id,
            line_id=line.id if line else "",
            active=line is not None and line.status == "active",
            whatsapp=None if self.missing("whatsapp") else whatsapp,
            genesys=None if self.missing("genesys") else self.account("genesys"),
            meta_url=self.url("whatsapp"),
            genesys_url=self.url("genesys"),
        )


def ours() -> OwnInstallation:
    return checks.ours()


def read() -> Setup:
    """The set-up of the tenant whose page this is."""
    pool, cipher, held = tenant_pool(), web_context().cipher, tenant()
    stored: dict[Side, dict[str, str]] = {}
    health: dict[Side, str] = {}
    for side in NEEDED:
        opened, shown = credentials.opened(pool, cipher, held.id, side), credentials.get(pool, held.id, side)
        stored[side] = dict(opened.values) if opened else {}
        health[side] = shown.health if shown else "unknown"
    return Setup(held, drafts.get(pool, cipher, held.id), stored, health, onboarding.listed(pool, held.id))


def names(side: Side) -> dict[str, str]:
    """What the provider called the tenant's numbers or integrations when it was asked last."""
    kept = drafts.get(tenant_pool(), web_context().cipher, tenant().id).values.get("offers", {}).get(side, [])
    return {ref: name for ref, name, *_ in kept if name}


def shown(findings: Sequence[Finding]) -> list[Shown]:
    return [(one.check, one.level, one.text, one.advice) for one in findings]
