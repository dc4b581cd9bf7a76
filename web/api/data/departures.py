"""Tenants that leave: closed, then deleted from every store. The operator's alone."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import BaseModel, Field

from db.tenants import deletions
from web.actions import departures as actions
from web.api.blueprint import ERRORS, behind_a_key
from web.api.messages.schemas import ResponseModel
from web.api.tenants.schemas import ErrorBody, RequestModel, TenantPath
from web.request.context import reply, web_context
from web.request.principal import OPERATOR, needs

api = behind_a_key("departures", __name__, "tenants", "/api", errors=(*ERRORS, 403))
ONE = "/tenants/<uuid:tenant_id>/departure"


class Closing(RequestModel):
    days: float = Field(deletions.DAYS, ge=0, le=deletions.MOST_DAYS, description="until it is deleted")


class AtOnce(RequestModel):
    name: str = Field(max_length=200, description="the tenant's, to be sure")


class DepartureOut(ResponseModel):
    tenant_id: str
    name: str = Field(description="empty when it is deleted")
    closed_at: datetime
    begins_at: datetime = Field(description="when it is to be deleted; until then it can be taken back")
    begun_at: datetime | None
    stage: Literal["closed", "contacts", "objects", "shared", "waiting", "rows", "again", "audit", "done"]
    counts: dict[str, int] = Field(description="what was removed, by place")
    trouble: str | None = Field(description="what stood in the way of the last step; it is tried again")
    ended_at: datetime | None = Field(description="set: everything is gone, and this is the certificate")


class DepartureList(BaseModel):
    items: list[DepartureOut]


@api.get("/departures", summary="Tenants that leave and have left, the newest 200", responses={200: DepartureList})
@needs(OPERATOR, scope="tenants:read")
def list_departures() -> Response:
    found = deletions.listed(web_context().pool)
    return reply(DepartureList(items=[DepartureOut.model_validate(one) for one in found]))


@api.post(ONE, summary="Close a tenant", responses={202: DepartureOut, 409: ErrorBody})
@needs(OPERATOR, scope="tenants:write", without_consent=True)
def close_tenant(path: TenantPath, body: Closing) -> Response:
    """Its lines are let go, its keys revoked, its people shut out; after `days` it is deleted from every store."""
    return reply(DepartureOut.model_validate(actions.close(str(path.tenant_id), body.days)), 202)


@api.get(ONE, summary="How far a deletion is, or its certificate", responses={200: DepartureOut})
@needs(OPERATOR, scope="tenants:read", without_consent=True)
def get_departure(path: TenantPath) -> Response:
    """The certificate is there when the tenant is gone."""
    return reply(DepartureOut.model_validate(deletions.get(web_context().pool, str(path.tenant_id))))


@api.post(f"{ONE}/deletion", summary="Delete a closed tenant at once", responses={202: DepartureOut, 409: ErrorBody})
@needs(OPERATOR, scope="tenants:write", without_consent=True)
def delete_tenant(path: TenantPath, body: AtOnce) -> Response:
    """A minute after it was closed at the earliest. It cannot be taken back."""
    return reply(DepartureOut.model_validate(actions.begin_now(str(path.tenant_id), body.name)), 202)


@api.delete(ONE, summary="Do not delete a tenant after all", responses={204: None, 409: ErrorBody})
@needs(OPERATOR, scope="tenants:write", without_consent=True)
def take_back(path: TenantPath) -> Response:
    """As long as it has not begun. Its people are let in again, its lines need proof anew, its keys stay revoked."""
    actions.take_back(str(path.tenant_id))
    return Response(status=204)
