"""Setting up a tenant's provider, for API and portal, within a request."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from flask import url_for

from db.access import openid, users
from db.access.openid import ProviderSettings, TenantProvider
from db.pool import Pool
from db.tenants.changes import NotFoundError
from web.openid.errors import OpenIdError
from web.request import access
from web.request.context import web_context
from web.request.errors import wrong_field
from web.request.principal import by, principal

DOMAINS = 50
VALUES = 50
LONGEST_VALUE = 200


def login_key(tenant_id: str) -> str:
    """The unguessable part of a tenant's log-in address. Known before there is a provider, since that asks for it."""
    mark = hmac.digest(web_context().secret_key.encode(), b"openid " + tenant_id.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mark[:24]).decode()


def login_url(key: str) -> str:
    """Where the tenant's people begin."""
    return web_context().public_url + url_for("portal.begin_openid", login_key=key)


def redirect_uri(key: str) -> str:
    """What is registered at the provider: each has its own, so that none answers for another."""
    return web_context().public_url + url_for("portal.end_openid", login_key=key)


def put(pool: Pool, tenant_id: str, terms: ProviderSettings, client_secret: str | None) -> TenantProvider:
    """Raises ApiError 400 and 403, NotFoundError, TakenError. The issuer is not asked: see `trouble`."""
    access.may_give("admin")  # whoever sets it up says who is an admin
    _check(terms)
    former = openid.get(pool, web_context().cipher, tenant_id)
    key = former.login_key if former else login_key(tenant_id)
    openid.put(pool, web_context().cipher, by(), tenant_id, terms, client_secret, key)
    if not terms.passwords and (former is None or former.terms.passwords):
        own = principal().id.removeprefix("user:") if principal().id.startswith("user:") else None
        openid.end_password_sessions(web_context().pool, tenant_id, keep_session_of=own)
    held = openid.get(pool, web_context().cipher, tenant_id)
    if held is None:
        raise NotFoundError("the provider was removed in this moment")
    return held


def trouble(issuer: str, tenant_id: str) -> str | None:
    """Why nobody could log in there at this moment: what its description of itself lacks. None: nothing."""
    try:
        web_context().openid.tenants.look(issuer, tenant_id)
    except OpenIdError as error:
        return str(error)
    return None


def domains(given: Sequence[str]) -> list[str]:
    """As they are compared with addresses. Raises ApiError 400."""
    found = {_domain(one.strip().removeprefix("@")) for one in given if one.strip()}
    if len(found) > DOMAINS:
        raise wrong_field("domains", f"may name {DOMAINS} at most")
    return sorted(found)


def _domain(given: str) -> str:
    """One spelling for each: else two tenants could have the same one, in letters and as xn--."""
    try:
        return users.address(f"somebody@{given}").rpartition("@")[2]
    except ValueError:
        raise wrong_field("domains", f"names {given!r}, which is no domain of e-mail addresses") from None


def values(field: str, given: Sequence[str]) -> tuple[str, ...]:
    """Of the claim, each once. Raises ApiError 400."""
    found = tuple(dict.fromkeys(one.strip() for one in given if one.strip()))
    if len(found) > VALUES or any(len(one) > LONGEST_VALUE or not one.isprintable() for one in found):
        raise wrong_field(field, f"may hold {VALUES} values at most, each of {LONGEST_VALUE} characters at most")
    return found


def _check(terms: ProviderSettings) -> None:
    try:
        web_context().openid.tenants.admit(terms.issuer)
    except OpenIdError:
        raise wrong_field("issuer", "must be an https address, without anything behind its path") from None
    if any(mark in terms.issuer for mark in "?#@"):
        raise wrong_field("issuer", "must be an https address, without anything behind its path")
    if not terms.admin_values and not terms.viewer_values:
        raise wrong_field("admin_values", "or `viewer_values` must name a value: else nobody has a role")
    if set(terms.admin_values) & set(terms.viewer_values):
        raise wrong_field("viewer_values", "must name no value that stands for admins already")
