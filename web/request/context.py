"""Where the API's views find what they use: the application's WebContext."""

from __future__ import annotations

from typing import cast

from flask import Response, current_app, g, jsonify
from pydantic import BaseModel

from db.pool import Pool
from db.tenants.changes import Changes
from web.request.web_context import WebContext


def web_context() -> WebContext:
    return cast(WebContext, current_app.extensions["relay"])


def pool() -> Pool:
    """The database as the asking principal may see it: for a tenant PostgreSQL itself guards the tenant's rows."""
    asking = g.get("principal")
    return pool_of(asking.tenant_id if asking is not None else None)


def pool_of(tenant_id: str | None) -> Pool:
    """The rows of this tenant, of them what the asking principal may see; None: without a limit, for the operator.

    The one place where web limits a pool: whatever somebody's lines are, PostgreSQL is told of them here.
    """
    asking = g.get("principal")
    lines = asking.line_ids if asking is not None else None
    return web_context().pool if tenant_id is None else web_context().pool.of_tenant(tenant_id, lines)


def changes() -> Changes:
    """The way to change a tenant: PostgreSQL first, then the look-ups in Redis are forgotten."""
    return Changes(pool(), web_context().cache.forget_routes)


def reply(model: BaseModel, status: int = 200) -> Response:
    response = jsonify(model.model_dump(mode="json"))
    response.status_code = status
    return response
