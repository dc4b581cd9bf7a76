"""An operator at the door of a tenant that lets nobody in without its consent. Asked before every view."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, request

from db.tenants import visits
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import ANYONE, OPERATOR, principal, right_of


class ClosedError(ApiError):
    """The operator may not look into this tenant now."""

    def __init__(self, tenant_id: str) -> None:
        text = "this tenant lets operators look in only while it allows it; ask one of its admins to allow a visit"
        super().__init__(403, "consent_missing", text)
        self.tenant_id = tenant_id


def check() -> None:
    """Whoever is no operator passes, and so does everybody at a view that is marked, or that is about no tenant.

    Raises ClosedError, and ApiError 403 for a program that names no tenant while one of them is closed.
    """
    right = right_of(request.endpoint)
    if principal().kind != "operator" or right == ANYONE or _marked():
        return
    named = _named()
    for tenant_id in named:
        check_of(tenant_id)
    if not named and right != OPERATOR and visits.any_closed(web_context().pool):
        text = "name the tenant in the header X-Tenant-ID: there are some that let operators in only by consent"
        raise ApiError(403, "consent_missing", text)


def check_of(tenant_id: str) -> None:
    """For a view whose address does not name the tenant. Raises ClosedError."""
    if principal().kind != "operator":
        return
    standing = visits.standing(web_context().pool, tenant_id)
    if standing is not None and standing.closed:
        raise ClosedError(tenant_id)


def _marked() -> bool:
    return bool(getattr(current_app.view_functions.get(request.endpoint or ""), "without_consent", False))


def _named() -> set[str]:
    """The tenants that path and header name."""
    given = [(request.view_args or {}).get("tenant_id"), request.headers.get("X-Tenant-ID", "").strip()]
    found = set()
    for one in given:
        try:
            found.add(str(UUID(str(one))))
        except ValueError:  # the view says what is wrong with it, or needs none
            continue
    return found
