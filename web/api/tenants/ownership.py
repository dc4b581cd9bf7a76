"""Who has a number or an integration, and lines that are let go: the operator's alone."""

from __future__ import annotations

from flask import Response

from db.tenants import ownership, registry
from db.tenants.changes import NotFoundError
from db.tenants.onboarding import Line
from web.api.access import auth
from web.api.blueprint import ERRORS, behind_a_key
from web.api.tenants.schemas import ErrorBody, LineList, LineOut, LinePath, LineQuery, Release
from web.api.tenants.setup import known_tenant
from web.api.tenants.webhook_urls import WebhookUrlsOf
from web.request.context import changes, pool, reply
from web.request.principal import OPERATOR, needs

api = behind_a_key("ownership", __name__, "tenants", "/api", errors=(*ERRORS, 403))


@api.get("/lines", summary="Whose a number or an integration is", responses={200: LineList})
@needs(OPERATOR, scope="tenants:read")
def find_lines(query: LineQuery) -> Response:
    """Every tenant's lines with this phone number id, integration id or line id, live ones first; 100 at most."""
    return reply(LineList(items=[_out(line) for line in ownership.find(pool(), query.ref)]))


@api.post(
    "/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/release",
    summary="Release a line",
    responses={200: LineOut, 409: ErrorBody},
)
@needs(OPERATOR, scope="tenants:write", without_consent=True)
def release_line(path: LinePath, body: Release) -> Response:
    """It owns its number and integration no more, and no webhook is relayed to it; its history stays with its tenant.

    What still waits on it is given up. Its tenant is told by a notice, and may set up the same pair anew.
    """
    tenant = known_tenant(path)
    line = ownership.release(changes(), auth.by(), tenant.id, str(path.line_id), body.reason or ownership.NO_REASON)
    return reply(WebhookUrlsOf(tenant).line(line))


def _out(line: Line) -> LineOut:
    tenant = registry.get(pool(), line.tenant_id)
    if tenant is None:  # no tenant is ever removed
        raise NotFoundError("there is no such tenant")
    return WebhookUrlsOf(tenant).line(line)
