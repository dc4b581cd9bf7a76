"""The three forms of a webhook URL: shared, with a tenant's key, with a line's key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from db.lines import LineRoute
from relay.channels.base import ACCOUNT
from web.lines import LineDirectory, TenantHook
from web.webhooks.proof import Proof, effective_secrets
from web.webhooks.sorting import Verdict

ChannelName = Literal["whatsapp", "genesys"]
Judge = Callable[[str], Verdict]


def of_shared(lines: LineDirectory, channel: ChannelName, proof: Proof, app_secrets: tuple[str, ...]) -> Judge:
    """Any line; the operator's app is tried first, since it signs for most."""
    if channel == "whatsapp":
        proof.by(app_secrets)

    def judge(ref: str) -> Verdict:
        if ref.startswith(ACCOUNT):
            return "unknown"
        route = lines.by_ref(channel, ref) if ref else None
        if route is None and ref and proof.given:
            route = lines.by_ref(channel, ref, certain=True)  # the line may have become active just now
        if route is None:
            return "unknown"
        return route if proof.by(effective_secrets(channel, route, app_secrets)) else "foreign"

    return judge


def of_tenant(lines: LineDirectory, hook: TenantHook, proof: Proof, app_secrets: tuple[str, ...]) -> Judge:
    """This tenant's numbers, numbers that are nobody's yet, and news of the tenant's account."""
    proof.by(hook.meta_secrets or app_secrets)

    def judge(ref: str) -> Verdict:
        if ref.startswith(ACCOUNT):
            own = proof.given and hook.account_id and ref == f"{ACCOUNT}{hook.account_id}"
            return (lines.of_tenant(hook.tenant_id) if own else None) or "unknown"
        # What is not proved by now never will be: no look-ups for whoever only knows the address.
        route = lines.by_ref("whatsapp", ref) if ref and proof.given else None
        if route is None and ref and proof.given:
            route = lines.by_ref("whatsapp", ref, certain=True)  # the line may have become active just now
        if route is None:
            return "unknown"
        return route if route.tenant_id == hook.tenant_id else "foreign"

    return judge


def of_line(lines: LineDirectory, route: LineRoute, proof: Proof) -> Judge:
    """This line only: channel.id must be its integration. Its secret signs for what names none, too."""
    proof.by(route.genesys_secrets)

    def judge(ref: str) -> Verdict:
        if ref in ("", route.integration_id):
            return route
        return "foreign" if not proof.given or lines.by_ref("genesys", ref) else "unknown"

    return judge
