"""The audit log: who changed what, and who looked at personal data. The newest first."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from db import audit_search
from db.audit_search import Wanted
from db.paging import CursorError
from web.api import auth
from web.api.access_schemas import AuditList, AuditQuery, EntryOut
from web.api.messages import not_a_page
from web.api.schemas import TenantPath
from web.api.setup import ERRORS, KEY, known_tenant
from web.context import pool, reply
from web.principal import OPERATOR, needs

api = APIBlueprint(
    "audit",
    __name__,
    url_prefix="/api",
    abp_tags=[Tag(name="audit")],
    abp_security=KEY,
    abp_responses=ERRORS,
)
api.before_request(auth.authenticate)


@api.get("/tenants/<uuid:tenant_id>/audit", summary="A tenant's audit log", responses={200: AuditList})
@needs("audit:read")
def tenant_audit(path: TenantPath, query: AuditQuery) -> Response:
    return _list(known_tenant(path).id, query)


@api.get("/audit", summary="The audit log of the whole installation", responses={200: AuditList})
@needs(OPERATOR, scope="audit:read")
def whole_audit(query: AuditQuery) -> Response:
    return _list(None, query)


def _list(tenant_id: str | None, query: AuditQuery) -> Response:
    try:
        found = audit_search.listed(pool(), Wanted(tenant_id, before=query.before), query.limit)
    except CursorError as error:
        raise not_a_page(error) from error
    return reply(AuditList(items=[EntryOut.model_validate(one) for one in found.items], next=found.next))
