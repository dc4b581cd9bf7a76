"""Erasing a person: asked for, watched, and certified."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from db.contacts import erasures
from web.actions import erasures as actions
from web.api.blueprint import behind_a_key
from web.api.messages.schemas import ResponseModel
from web.api.tenants.schemas import ErrorBody, RequestModel, TenantPath
from web.api.tenants.setup import known_tenant
from web.request.context import pool, reply
from web.request.principal import needs

api = behind_a_key("erasures", __name__, "tenants", "/api/tenants")
PATH = "/<uuid:tenant_id>/erasures"


class ErasurePath(BaseModel):
    tenant_id: UUID
    erasure_id: UUID


class ErasureBegin(RequestModel):
    contact: str = Field(
        max_length=200,
        description="a phone number with country code, or a business-scoped user id",
        examples=["+49 170 1112224"],
    )


class ErasureOut(ResponseModel):
    id: str
    tenant_id: str
    digest: str = Field(description="keyed digest of the number or user id: the same person has the same one here")
    asked_by: str
    asked_at: datetime
    stage: Literal["stop", "messages", "contact", "waiting", "archive", "again", "done"]
    counts: dict[str, int] = Field(description="what was found and removed, by place")
    trouble: str | None = Field(description="what stood in the way of the last step; it is tried again")
    ended_at: datetime | None = Field(description="set: everything is gone, and this is the certificate")


class ErasureList(BaseModel):
    items: list[ErasureOut]


@api.post(PATH, summary="Erase a person", responses={202: ErasureOut, 409: ErrorBody})
@needs("contacts:erase")
def begin_erasure(path: TenantPath, body: ErasureBegin) -> Response:
    """On all lines of the tenant, at once and for good: the conversation stops, what waits is given up, and the daemons
    take everything that names the person out of every store. See the address in `Location` for how far it is.

    Whatever the person writes afterwards is somebody new's. Whoever is not known is looked for all the same.
    """
    tenant_id = known_tenant(path).id
    begun = actions.begin(tenant_id, body.contact)
    response = reply(ErasureOut.model_validate(begun), 202)
    response.headers["Location"] = f"/api/tenants/{tenant_id}/erasures/{begun.id}"
    return response


@api.get(PATH, summary="Erasures, the newest 50 first", responses={200: ErasureList})
@needs("contacts:erase")
def list_erasures(path: TenantPath) -> Response:
    found = erasures.listed(pool(), known_tenant(path).id)
    return reply(ErasureList(items=[ErasureOut.model_validate(one) for one in found]))


@api.get(f"{PATH}/<uuid:erasure_id>", summary="How far an erasure is, or its certificate", responses={200: ErasureOut})
@needs("contacts:erase")
def get_erasure(path: ErasurePath) -> Response:
    """It names nobody."""
    tenant_id = known_tenant(TenantPath(tenant_id=path.tenant_id)).id
    return reply(ErasureOut.model_validate(erasures.get(pool(), tenant_id, str(path.erasure_id))))
