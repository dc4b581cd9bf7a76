"""Signing secrets that were replaced: which of them still sign, and their end at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import BaseModel, Field

from db.tenants import former_secrets
from db.tenants.former_secrets import FormerSecret
from web.api.blueprint import behind_a_key
from web.api.messages.schemas import ResponseModel
from web.api.tenants.schemas import RequestModel, TenantPath
from web.api.tenants.setup import known_tenant
from web.request.context import changes, pool, reply, web_context
from web.request.principal import by, needs

Side = Literal["whatsapp", "genesys"]

api = behind_a_key("former_secrets", __name__, "tenants", "/api/tenants")


class SideQuery(RequestModel):
    side: Side | None = Field(None, description="whose secrets; left out, both sides'")


class FormerSecretOut(ResponseModel):
    side: Side = Field(description="whatsapp: the app secret; genesys: the webhook secret")
    line_id: str | None = Field(description="null: it is the tenant's own, for all lines without one")
    phone_number_id: str | None
    until: datetime = Field(description="when it ends by itself")


class FormerSecretList(BaseModel):
    items: list[FormerSecretOut]


@api.get(
    "/<uuid:tenant_id>/former-secrets",
    summary="List replaced secrets that still sign",
    responses={200: FormerSecretList},
)
@needs("tenants:read")
def list_former(path: TenantPath) -> Response:
    """A signing secret that was replaced signs for a day more, so that no webhook is refused meanwhile."""
    return _told(former_secrets.valid(pool(), web_context().cipher, known_tenant(path).id))


@api.delete(
    "/<uuid:tenant_id>/former-secrets", summary="End replaced secrets at once", responses={200: FormerSecretList}
)
@needs("tenants:write")
def end_former(path: TenantPath, query: SideQuery) -> Response:
    """Within seconds no webhook that they sign is taken; the answer names what was ended."""
    return _told(former_secrets.end(changes(), web_context().cipher, by(), known_tenant(path).id, query.side))


def _told(found: Sequence[FormerSecret]) -> Response:
    return reply(FormerSecretList(items=[FormerSecretOut.model_validate(one) for one in found]))
