"""Who is asking the API: the operator's first key from the settings, or a key from the database."""

from __future__ import annotations

import hmac
from typing import Literal
from uuid import UUID

from flask import Response, g, request

from db.access import api_keys
from db.access.api_keys import ApiKey
from db.access.lineage import Maker
from db.tenants import registry
from web.request import consent, idempotency, limits
from web.request.access import root
from web.request.context import pool, web_context
from web.request.errors import ApiError
from web.request.principal import EVERYTHING, Principal, admit, by, check_right, needs, principal

__all__ = ["admit", "authenticate", "by", "named_tenant", "needs", "principal", "required_tenant"]


def authenticate() -> Response | None:
    """Runs before every view of the API: who asks, may they, too often, for the second time?

    Raises ApiError 401, 403 or 429; answers only the repeat of a request.
    """
    if request.method == "OPTIONS":
        return None  # a browser asks whether a page of another origin may ask: it shows no key yet
    limits.may_try_a_key()
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    key = given.strip()
    found = None
    if scheme.lower() == "bearer" and key:
        found = _operator(key) or _stored(key)
    if found is None:
        limits.stranger()
        raise ApiError(401, "unauthorised", "send a valid key as `Authorization: Bearer <key>`")
    g.principal = found
    limits.api()
    check_right()
    consent.check()
    return idempotency.begin()


def _operator(key: str) -> Principal | None:
    admin_key = web_context().admin_api_key
    # Both sides are always compared in full, and an empty setting admits nobody.
    same = hmac.compare_digest(key.encode("utf-8", "replace"), admin_key.encode())
    if not (admin_key and same):
        return None
    return Principal("operator", "admin-key", "operator", None, EVERYTHING, Maker("admin-key", digest=root()))


def _stored(key: str) -> Principal | None:
    found = api_keys.by_secret(web_context().pool, key, root())
    return None if found is None else principal_of(found)


def principal_of(key: ApiKey) -> Principal:
    kind: Literal["operator", "tenant"] = "operator" if key.tenant_id is None else "tenant"
    maker = Maker("key", key.id, generation=key.generation + 1, until=key.expires_at)
    scopes = frozenset(key.scopes)
    return Principal(kind, f"key:{key.id}", f"key {key.name}", key.tenant_id, scopes, maker, line_ids=key.line_ids)


def named_tenant() -> str | None:
    """The tenant that the key is bound to, or that X-Tenant-ID names; None: the operator named none.

    Raises ApiError 404 where that is nobody's id, or somebody else's.
    """
    given = request.headers.get("X-Tenant-ID", "").strip()
    if not given:
        return principal().tenant_id
    try:
        tenant_id = admit(str(UUID(given)))
    except ValueError:
        raise ApiError(400, "invalid_request", "X-Tenant-ID is not the id of a tenant") from None
    if registry.get(pool(), tenant_id) is None:
        raise ApiError(404, "not_found", "there is no such tenant")
    return tenant_id


def required_tenant() -> str:
    """The same where there has to be one. Raises ApiError 400."""
    found = named_tenant()
    if found is None:
        raise ApiError(400, "tenant_missing", "name the tenant in the header X-Tenant-ID")
    return found
