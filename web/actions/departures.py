"""Tenants that leave, as page and API ask for it."""

from __future__ import annotations

from db.tenants import deletions
from db.tenants.changes import Changes, Ref
from db.tenants.deletions import TenantDeletion
from db.whole import ChangedMeanwhileError, whole
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import by


def close(tenant_id: str, days: float) -> TenantDeletion:
    """All or nothing. Raises ApiError, TakenError, NotFoundError."""
    refs: set[Ref] = set()
    try:
        with whole(web_context().pool) as one:
            found = deletions.close(Changes(one, refs.update), by(), tenant_id, days)
    except ChangedMeanwhileError as error:
        raise ApiError(409, "changed_meanwhile", str(error)) from error
    web_context().cache.forget_routes(refs)
    return found


def begin_now(tenant_id: str, name: str) -> TenantDeletion:
    """Raises TakenError, NotFoundError."""
    return deletions.begin_now(web_context().pool, by(), tenant_id, name)


def take_back(tenant_id: str) -> None:
    """Raises TakenError, NotFoundError."""
    deletions.take_back(web_context().pool, by(), tenant_id)
