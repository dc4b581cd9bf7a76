"""What web holds for log-ins through providers, made once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from db.access.users import Role
from relay.channels.base import TokenCache
from relay.channels.http.origins import own_origins
from web.openid.calls import Calls
from web.openid.exchange import OpenIdClient
from web.openid.providers import INSTALLATION, Grant, OpenIdProvider


@dataclass(frozen=True, slots=True)
class OpenId:
    """`passwords`: whether they admit beside providers."""

    installation: OpenIdProvider | None
    passwords: bool
    ours: OpenIdClient
    tenants: OpenIdClient

    def exchange(self, provider: OpenIdProvider) -> OpenIdClient:
        """Ours may stand in the operator's own network; a tenant's only where the operator has said so."""
        return self.ours if provider.tenant_id is None else self.tenants


def build(tokens: TokenCache, ours: OpenIdProvider | None, private_origins: tuple[str, ...], passwords: bool) -> OpenId:
    inside = own_origins(*private_origins)
    own = own_origins(ours.issuer) if ours else frozenset()
    return OpenId(ours, passwords, OpenIdClient(Calls(tokens, inside | own)), OpenIdClient(Calls(tokens, inside)))


def installation(
    name: str,
    issuer: str,
    client_id: str,
    client_secret: str,
    role_claim: str,
    roles: Mapping[str, str],
    second_factor: bool,
) -> OpenIdProvider:
    """The operator's own, from the settings. `roles`: `operator`, or `admin:<tenant id>`, for each value."""
    grants = {value: _grant(role) for value, role in roles.items()}
    return OpenIdProvider(
        None, INSTALLATION, name, issuer, client_id, client_secret, role_claim, grants, None, second_factor
    )


def _grant(text: str) -> Grant:
    role, _, tenant_id = text.partition(":")
    return Grant(cast(Role, role), tenant_id or None)
