"""The checks of relay.checks.line_checks, as web's views ask for them: a tenant's stored lines, or what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relay.channels.base import Account, Expected
from relay.checks import line_checks
from relay.checks.line_checks import REF, OwnInstallation, Side, SideFindings
from web.api.tenants.schemas import FindingOut
from web.request.context import pool, web_context


def ours() -> OwnInstallation:
    """This installation, as the settings describe it."""
    return OwnInstallation(web_context().public_url, web_context().meta_app_secrets)


def of_tenant(tenant_id: str) -> list[SideFindings]:
    """Everything about all lines of a tenant."""
    found = line_checks.subjects(pool(), web_context().cipher, ours(), tenant_id)
    return line_checks.check_lines(web_context().channels, found, ours())


def typed(side: Side, tenant_id: str, values: Mapping[str, str], webhook_url: str = "") -> SideFindings:
    """One side with values that are not stored. Without `webhook_url` the provider's is not compared."""
    held = dict(values)
    if side == "whatsapp":
        held["app_secret"] = ours().app_secret(held.get("app_secret", ""))
    account = Account(tenant_id, "", held.get(REF[side], ""), held)
    return line_checks.check_side(
        web_context().channels[side], account, Expected((webhook_url,) if webhook_url else (), True)
    )


def shown(checked: Sequence[SideFindings]) -> list[FindingOut]:
    """As the API and the portal show them."""
    return [
        FindingOut(side=one.side, check=found.check, level=found.level, text=found.text, advice=found.advice)
        for one in checked
        for found in one.findings
    ]
