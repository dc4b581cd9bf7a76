"""The audit log: who changed what, and who looked at personal data. The newest first."""

from __future__ import annotations

from flask import Response

from db.access import audit_chain
from db.paging import CursorError
from db.views import audit_search
from db.views.audit_search import AuditSearch
from web.api.access.schemas import AuditList, AuditQuery, EntryOut, ExportQuery
from web.api.blueprint import behind_a_key
from web.api.messages.tracking import not_a_page
from web.api.tenants.schemas import TenantPath
from web.api.tenants.setup import known_tenant
from web.request.context import pool, reply
from web.request.principal import OPERATOR, needs

LINES = {
    "description": "one JSON object a line: id, at, tenant_id, actor, action, subject, detail, n, previous, hash",
    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
}

api = behind_a_key("audit", __name__, "audit", "/api")


@api.get("/tenants/<uuid:tenant_id>/audit", summary="A tenant's audit log", responses={200: AuditList})
@needs("audit:read")
def tenant_audit(path: TenantPath, query: AuditQuery) -> Response:
    return _list(known_tenant(path).id, query)


@api.get("/audit", summary="The audit log of the whole installation", responses={200: AuditList})
@needs(OPERATOR, scope="audit:read")
def whole_audit(query: AuditQuery) -> Response:
    return _list(None, query)


@api.get("/tenants/<uuid:tenant_id>/audit/export", summary="Export a tenant's audit log", responses={200: LINES})
@needs("audit:read")
def export_tenant_audit(path: TenantPath, query: ExportQuery) -> Response:
    """JSON lines, the oldest first. `hash` covers the rest of its line, and so `previous`, that of the line before."""
    return _exported(known_tenant(path).id, query)


@api.get("/audit/export", summary="Export the audit log of the whole installation", responses={200: LINES})
@needs(OPERATOR, scope="audit:read")
def export_whole_audit(query: ExportQuery) -> Response:
    """JSON lines, the oldest first. `hash` covers the rest of its line, and so `previous`, that of the line before."""
    return _exported(None, query)


def _exported(tenant_id: str | None, query: ExportQuery) -> Response:
    lines = audit_chain.exported(pool(), tenant_id, query.after)
    answer = Response((line.json() + "\n" for line in lines), mimetype="application/x-ndjson")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.jsonl"'
    return answer


def _list(tenant_id: str | None, query: AuditQuery) -> Response:
    try:
        found = audit_search.listed(pool(), AuditSearch(tenant_id, before=query.before), query.limit)
    except CursorError as error:
        raise not_a_page(error) from error
    return reply(AuditList(items=[EntryOut.model_validate(one) for one in found.items], next=found.next))
