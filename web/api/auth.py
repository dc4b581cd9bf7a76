"""Who is asking. Today the operator's key; keys of tenants become further principals here."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from flask import g, request

from db.audit import By
from web.api.context import parts
from web.api.errors import ApiError, request_id


@dataclass(frozen=True, slots=True)
class Principal:
    """`tenant_id` is set for whoever may see one tenant only."""

    kind: Literal["operator", "tenant"]
    name: str
    tenant_id: str | None = None


def authenticate() -> None:
    """Runs before every view of the API. Raises ApiError 401."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    admin_key = parts().admin_api_key
    # Both sides are always compared in full, and an empty setting admits nobody.
    known = hmac.compare_digest(key.strip().encode("utf-8", "replace"), admin_key.encode())
    if scheme.lower() != "bearer" or not admin_key or not known:
        raise ApiError(401, "unauthorised", "send a valid key as `Authorization: Bearer <key>`")
    g.principal = Principal("operator", "operator")


def principal() -> Principal:
    found: Principal = g.principal
    return found


def by() -> By:
    """The principal as audit_log names it."""
    return By(principal().name, request_id())


def require_operator() -> None:
    """Raises ApiError 403."""
    if principal().kind != "operator":
        raise ApiError(403, "forbidden", "only the operator's key may do this")


def admit(tenant_id: str) -> str:
    """The tenant of a path. Somebody else's tenant does not exist: ApiError 404."""
    own = principal().tenant_id
    if own is not None and own != tenant_id:
        raise ApiError(404, "not_found", "there is no such tenant")
    return tenant_id


def named_tenant() -> str | None:
    """The tenant that the key is bound to, or that X-Tenant-ID names; None: the operator named none."""
    given = request.headers.get("X-Tenant-ID", "").strip()
    if not given:
        return principal().tenant_id
    try:
        return admit(str(UUID(given)))
    except ValueError:
        raise ApiError(400, "invalid_request", "X-Tenant-ID is not the id of a tenant") from None


def required_tenant() -> str:
    """The same where there has to be one. Raises ApiError 400."""
    found = named_tenant()
    if found is None:
        raise ApiError(400, "tenant_missing", "name the tenant in the header X-Tenant-ID")
    return found
