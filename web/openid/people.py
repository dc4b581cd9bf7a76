"""What a provider's claims say of a person, in the words of db.access.openid_people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db.access import users
from db.access.openid_people import ProvenPerson
from web.openid.errors import OpenIdError
from web.openid.providers import OpenIdProvider, granted

LONGEST_NAME = 120
SECOND_FACTOR = "mfa"
"""The word of `amr` (RFC 8176) for several factors in one log-in."""


def vouched(provider: OpenIdProvider, claims: Mapping[str, Any]) -> ProvenPerson:
    """Raises OpenIdError for somebody whom the provider gives no role."""
    grant = granted(provider, claims)
    if grant is None:
        raise OpenIdError("no_role", "Your provider knows you, but has given you no role here.")
    email = _email(provider, claims)
    name = _name(claims) or (email or claims["sub"]).partition("@")[0]
    return ProvenPerson(
        provider.tenant_id, provider.issuer, claims["sub"], email, name[:LONGEST_NAME], grant.role, grant.tenant_id
    )


def showed_second_factor(provider: OpenIdProvider, claims: Mapping[str, Any]) -> bool:
    """The provider says so of this log-in, or whoever set it up says so of all."""
    methods = claims.get("amr")
    return provider.second_factor or (isinstance(methods, list) and SECOND_FACTOR in methods)


def _email(provider: OpenIdProvider, claims: Mapping[str, Any]) -> str | None:
    """The address, if the provider has verified it and may speak for its domain."""
    given, verified = claims.get("email"), claims.get("email_verified")
    # Some send the word in place of the truth value.
    if not isinstance(given, str) or not (verified is True or verified in ("true", "True")):
        return None
    try:
        address = users.address(given)
    except ValueError:
        return None
    spoken_for = provider.domains is None or address.rpartition("@")[2] in provider.domains
    return address if spoken_for else None


def _name(claims: Mapping[str, Any]) -> str:
    given = claims.get("name")
    text = given if isinstance(given, str) else ""
    return " ".join("".join(one for one in text if one.isprintable()).split())
