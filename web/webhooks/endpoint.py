"""The three forms of a webhook's address: shared, with a tenant's key, with a line's key."""

from __future__ import annotations

from dataclasses import dataclass, field

from db.tenants.lines import LineRoute
from web.webhooks.lines import ChannelName, TenantHook

PUBLISH_SECONDS = {"whatsapp": 4.0, "genesys": 8.0}
"""Genesys gives up after 10 s and repeats five times; the rest of it is for look-ups."""


class NobodysAddressError(Exception):
    """There is no such webhook address."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an address says before anything of the body is known.

    `secrets` are tried first; they are the tenant's `owner`, or the operator's. A `line` or `tenant` bounds
    what may be accepted here; neither: any line that the secret counts for. `app_secrets` are the operator's
    app's, which count for lines of tenants without an app of their own.
    """

    channel: ChannelName
    secrets: tuple[str, ...] = field(repr=False)
    app_secrets: tuple[str, ...] = field(default=(), repr=False)
    owner: str | None = None
    line: LineRoute | None = None
    tenant: TenantHook | None = None

    @property
    def publish_seconds(self) -> float:
        """They bound its publishing."""
        return PUBLISH_SECONDS[self.channel]

    @property
    def shared(self) -> bool:
        return self.line is None and self.tenant is None


def shared(channel: ChannelName, app_secrets: tuple[str, ...]) -> Endpoint:
    """Any line; the operator's app is tried first, since it signs for most."""
    return Endpoint(channel, app_secrets, app_secrets)


def of_tenant(hook: TenantHook, app_secrets: tuple[str, ...]) -> Endpoint:
    """This tenant's numbers, numbers that are nobody's yet, and news of the tenant's account."""
    if hook.meta_secrets:
        return Endpoint("whatsapp", hook.meta_secrets, app_secrets, hook.tenant_id, tenant=hook)
    return Endpoint("whatsapp", app_secrets, app_secrets, tenant=hook)


def of_line(route: LineRoute) -> Endpoint:
    """This line only: channel.id must be its integration. Its secret signs for what names none, too."""
    return Endpoint("genesys", route.genesys_secrets, owner=route.tenant_id, line=route)
