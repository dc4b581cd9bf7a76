"""A provider as a log-in uses it, whoever has set it up: the operator in the settings, or a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from db.access import openid
from db.access.users import Role

INSTALLATION = "openid"
"""The installation's part in log-in addresses, where a tenant's has its key."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody is to be: an operator, or admin or viewer of a tenant."""

    role: Role
    tenant_id: str | None


@dataclass(frozen=True, slots=True)
class OpenIdProvider:
    """`tenant_id` None: the installation's. `grants`: what each value of the role claim stands for, the most first.

    `domains`: of the e-mail addresses it may speak for; None: of all.
    """

    tenant_id: str | None
    login_key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    role_claim: str
    grants: Mapping[str, Grant]
    domains: frozenset[str] | None
    second_factor: bool


def of_tenant(held: openid.TenantProvider) -> OpenIdProvider | None:
    """None while its secret cannot be opened. Its values give roles of its own tenant, whatever they are."""
    if held.client_secret is None:
        return None
    terms = held.terms
    viewers = {value: Grant("viewer", held.tenant_id) for value in terms.viewer_values}
    admins = {value: Grant("admin", held.tenant_id) for value in terms.admin_values}
    return OpenIdProvider(
        held.tenant_id, held.login_key, terms.name, terms.issuer, terms.client_id, held.client_secret,
        terms.role_claim, admins | {value: one for value, one in viewers.items() if value not in admins},
        frozenset(held.domains), terms.second_factor,
    )  # fmt: skip


def granted(provider: OpenIdProvider, claims: Mapping[str, Any]) -> Grant | None:
    """The first of the provider's grants whose value is in the claim. None: no role here."""
    values = set(_values(_claim(claims, provider.role_claim)))
    return next((grant for value, grant in provider.grants.items() if value in values), None)


def has_claim(provider: OpenIdProvider, claims: Mapping[str, Any]) -> bool:
    return _claim(claims, provider.role_claim) is not None


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """By its name, or by its path: `realm_access.roles` is `roles` inside of `realm_access`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _values(claim: Any) -> list[str]:
    listed = claim if isinstance(claim, list) else [claim]
    return [one for one in listed if isinstance(one, str)]
