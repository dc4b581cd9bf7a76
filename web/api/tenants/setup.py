"""Tenants, their credentials and their lines: what stands before a number goes live."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel, SecretStr

from db.tenants import credentials, onboarding, registry
from db.tenants.changes import NotFoundError
from db.tenants.credentials import CredentialsType, StoredCredentials
from db.tenants.registry import Tenant
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import (
    CredentialsOut,
    CredentialsQuery,
    ErrorBody,
    GenesysCredentials,
    LineList,
    LineOut,
    LinePath,
    NewLine,
    NewTenant,
    PageQuery,
    TenantPath,
    WhatsAppCredentials,
)
from web.api.tenants.tenant_schemas import TenantChange, TenantList, TenantOut
from web.api.tenants.webhook_urls import WebhookUrlsOf
from web.request.context import changes, pool, reply, web_context
from web.request.errors import ApiError
from web.request.principal import OPERATOR, needs

api = behind_a_key("tenants", __name__, "tenants", "/api/tenants")


@api.post("", summary="Create a tenant", responses={201: TenantOut, 403: ErrorBody})
@needs(OPERATOR, scope="tenants:write")
def create_tenant(body: NewTenant) -> Response:
    tenant = registry.create(changes(), auth.by(), body.name)
    response = reply(tenant_out(tenant), 201)
    response.headers["Location"] = f"/api/tenants/{tenant.id}"
    return response


@api.get("", summary="List tenants", responses={200: TenantList, 403: ErrorBody})
@needs(OPERATOR, scope="tenants:read")
def list_tenants(query: PageQuery) -> Response:
    found = registry.listed(pool(), query.limit + 1, str(query.after) if query.after else None)
    page = found[: query.limit]
    more = page[-1].id if len(found) > query.limit else None
    return reply(TenantList(items=[tenant_out(one) for one in page], next=more))


@api.get("/<uuid:tenant_id>", summary="Show a tenant", responses={200: TenantOut})
@needs("tenants:read", per_line=True, without_consent=True)
def get_tenant(path: TenantPath) -> Response:
    return reply(tenant_out(known_tenant(path)))


@api.patch(
    "/<uuid:tenant_id>",
    summary="Pause a tenant, resume it, or set its language",
    responses={200: TenantOut, 409: ErrorBody},
)
@needs("tenants:write", without_consent=True)
def patch_tenant(path: TenantPath, body: TenantChange) -> Response:
    """Paused, everything is still taken in and kept, in order; nothing is sent until the tenant is resumed."""
    tenant = known_tenant(path)
    if body.status is not None and tenant.status == "onboarding":
        raise ApiError(409, "not_onboarded", "complete the onboarding first; there is nothing to pause yet")
    if body.language is not None:
        tenant = registry.set_language(changes(), auth.by(), tenant.id, body.language)
    if body.status is not None:
        tenant = registry.set_status(changes(), auth.by(), tenant.id, body.status)
    return reply(tenant_out(tenant))


@api.put("/<uuid:tenant_id>/whatsapp/credentials", summary="Set the WhatsApp side", responses={200: CredentialsOut})
@needs("tenants:write")
def put_whatsapp(path: TenantPath, body: WhatsAppCredentials) -> Response:
    return _put(path, "whatsapp", body)


@api.put("/<uuid:tenant_id>/genesys/credentials", summary="Set the Genesys side", responses={200: CredentialsOut})
@needs("tenants:write")
def put_genesys(path: TenantPath, body: GenesysCredentials) -> Response:
    return _put(path, "genesys", body)


@api.get("/<uuid:tenant_id>/whatsapp/credentials", summary="Show the WhatsApp side", responses={200: CredentialsOut})
@needs("tenants:read")
def get_whatsapp(path: TenantPath) -> Response:
    return _get(path, "whatsapp")


@api.get("/<uuid:tenant_id>/genesys/credentials", summary="Show the Genesys side", responses={200: CredentialsOut})
@needs("tenants:read")
def get_genesys(path: TenantPath) -> Response:
    return _get(path, "genesys")


@api.get("/<uuid:tenant_id>/credentials", summary="Show one side by its name", responses={200: CredentialsOut})
@needs("tenants:read")
def get_credentials(path: TenantPath, query: CredentialsQuery) -> Response:
    return _get(path, query.type)


@api.post(
    "/<uuid:tenant_id>/lines",
    summary="Pair a number with an integration",
    responses={200: LineOut, 201: LineOut, 409: ErrorBody},
)
@needs("tenants:write")
def post_line(path: TenantPath, body: NewLine) -> Response:
    tenant = known_tenant(path)
    line = onboarding.create(
        changes(),
        web_context().cipher,
        auth.by(),
        tenant.id,
        body.phone_number_id,
        body.integration_id,
        body.webhook_secret.get_secret_value() if body.webhook_secret else None,
        body.settings.model_dump(exclude_none=True),
    )
    made_now = line.created_at == line.updated_at
    return reply(WebhookUrlsOf(tenant).line(line), 201 if made_now else 200)


@api.get("/<uuid:tenant_id>/lines", summary="List a tenant's lines", responses={200: LineList})
@needs("tenants:read", per_line=True, without_consent=True)
def list_lines(path: TenantPath) -> Response:
    tenant = known_tenant(path)
    urls = WebhookUrlsOf(tenant)
    return reply(LineList(items=[urls.line(line) for line in onboarding.listed(pool(), tenant.id)]))


@api.delete(
    "/<uuid:tenant_id>/lines/<uuid:line_id>",
    summary="Remove a line that was never active",
    responses={204: None, 409: ErrorBody},
)
@needs("tenants:write")
def delete_line(path: LinePath) -> Response:
    tenant_id = auth.admit(str(path.tenant_id))
    onboarding.remove(changes(), auth.by(), tenant_id, str(path.line_id))
    return Response(status=204)


def known_tenant(path: TenantPath) -> Tenant:
    """The tenant of the path. Raises ApiError 404."""
    tenant = registry.get(pool(), auth.admit(str(path.tenant_id)))
    if tenant is None:
        raise ApiError(404, "not_found", "there is no such tenant")
    return tenant


def line_of(path: LinePath) -> tuple[str, str]:
    """The ids of tenant and line of the path. Raises ApiError, NotFoundError."""
    tenant = known_tenant(path)
    if not any(one.id == str(path.line_id) for one in onboarding.listed(pool(), tenant.id)):
        raise NotFoundError("there is no such line")
    return tenant.id, str(path.line_id)


def tenant_out(tenant: Tenant) -> TenantOut:
    return TenantOut.model_validate(tenant, from_attributes=True)


def _put(path: TenantPath, kind: CredentialsType, body: BaseModel) -> Response:
    tenant_id = auth.admit(str(path.tenant_id))
    stored = credentials.put(changes(), web_context().cipher, auth.by(), tenant_id, kind, _clear(body))
    return reply(_credentials_out(tenant_id, stored))


def _get(path: TenantPath, kind: CredentialsType) -> Response:
    tenant_id = known_tenant(path).id
    stored = credentials.get(pool(), tenant_id, kind)
    if stored is None:
        text = f"this tenant has no {kind} credentials yet; PUT them first"
        raise ApiError(404, "credentials_missing", text)
    return reply(_credentials_out(tenant_id, stored))


def _clear(body: BaseModel) -> dict[str, str]:
    """The fields that were given, secrets in clear: on their way to the cipher and nowhere else."""
    given = {name: value for name, value in body if value is not None}
    return {name: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for name, v in given.items()}


def _credentials_out(tenant_id: str, stored: StoredCredentials) -> CredentialsOut:
    return CredentialsOut(
        tenant_id=tenant_id,
        type=stored.type,
        health=stored.health,
        health_reason=stored.health_reason,
        health_at=stored.health_at,
        updated_at=stored.updated_at,
        **stored.shown,
    )
