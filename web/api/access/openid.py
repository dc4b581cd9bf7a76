"""A tenant's OpenID provider: where its people log in to the portal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from db.access import openid
from db.access.openid import ProviderSettings, TenantProvider
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import ErrorBody, Name, RequestModel, Secret, TenantPath
from web.api.tenants.setup import known_tenant
from web.openid import setup
from web.request import access
from web.request.context import pool, reply, web_context
from web.request.principal import OPERATOR, by, needs

OPENID = "/<uuid:tenant_id>/openid"
Value = Annotated[str, Field(min_length=1, max_length=setup.LONGEST_VALUE)]
MASKED = "••••"
Values = Annotated[list[Value], Field(max_length=setup.VALUES)]

api = behind_a_key("openid", __name__, "users", "/api/tenants")


class ProviderIn(RequestModel):
    name: Annotated[Name, Field(max_length=60, description="what people know it as; stands on the button")]
    issuer: str = Field(
        min_length=1,
        max_length=500,
        description="the provider's own name for itself, exactly as it writes it",
        examples=["https://login.nordwind.example/realms/staff"],
    )
    client_id: Annotated[Name, Field(max_length=255)]
    client_secret: Secret | None = Field(None, description="left out: the one it has stays, for the same issuer")
    role_claim: Annotated[Name, Field(description="a claim's name, or a path such as realm_access.roles")] = "groups"
    admin_values: Values = Field([], description="values of the claim that make an admin")
    viewer_values: Values = Field([], description="values of the claim that make a viewer")
    found_by_domain: bool = Field(False, description="whoever types one of the domains at the log-in sees where it is")
    second_factor: bool = Field(False, description="it asks everybody for a second factor, so none is asked for here")
    passwords: bool = Field(True, description="false: no password of the tenant's people admits")


class ProviderOut(BaseModel):
    name: str
    issuer: str
    client_id: str
    client_secret: str = Field(description="masked", examples=[MASKED])
    role_claim: str
    admin_values: list[str]
    viewer_values: list[str]
    found_by_domain: bool
    second_factor: bool
    passwords: bool
    updated_at: datetime


class OpenIdOut(BaseModel):
    provider: ProviderOut | None
    domains: list[str] = Field(description="of the e-mail addresses it may speak for; the operator's word")
    login_url: str = Field(description="where the tenant's people begin")
    redirect_uri: str = Field(description="to be registered at the provider")


class Domains(RequestModel):
    domains: list[Annotated[str, Field(min_length=1, max_length=253)]] = Field(
        max_length=setup.DOMAINS, examples=[["nordwind.example"]]
    )


@api.get(OPENID, summary="Show where a tenant's people log in", responses={200: OpenIdOut})
@needs("access:read")
def get_openid(path: TenantPath) -> Response:
    return _shown(known_tenant(path).id)


@api.put(OPENID, summary="Set up a tenant's OpenID provider", responses={200: OpenIdOut, 409: ErrorBody})
@needs("access:write")
def put_openid(path: TenantPath, body: ProviderIn) -> Response:
    """Whoever has a value of the claim gets its role at each log-in, and is made a user at the first. Passwords can be
    forbidden once an admin has come in this way.
    """
    tenant_id = known_tenant(path).id
    terms = ProviderSettings(
        body.name,
        body.issuer,
        body.client_id,
        body.role_claim,
        setup.values("admin_values", body.admin_values),
        setup.values("viewer_values", body.viewer_values),
        body.found_by_domain,
        body.second_factor,
        body.passwords,
    )
    secret = None if body.client_secret is None else body.client_secret.get_secret_value()
    setup.put(pool(), tenant_id, terms, secret)
    return _shown(tenant_id)


@api.delete(OPENID, summary="Remove a tenant's OpenID provider", responses={200: OpenIdOut})
@needs("access:write")
def delete_openid(path: TenantPath) -> Response:
    """Whoever came in through it is logged out, and needs a password."""
    tenant_id = known_tenant(path).id
    access.may_give("admin")
    openid.remove(pool(), by(), tenant_id)
    return _shown(tenant_id)


@api.put(
    f"{OPENID}/domains",
    summary="Say for which e-mail addresses a tenant's provider may speak",
    responses={200: OpenIdOut, 409: ErrorBody},
)
@needs(OPERATOR, scope="access:write")
def put_openid_domains(path: TenantPath, body: Domains) -> Response:
    """All of them. A domain is one tenant's only."""
    tenant_id = known_tenant(path).id
    openid.set_domains(pool(), by(), tenant_id, setup.domains(body.domains))
    return _shown(tenant_id)


def _shown(tenant_id: str) -> Response:
    held = openid.get(pool(), web_context().cipher, tenant_id)
    key = held.login_key if held else setup.login_key(tenant_id)
    return reply(
        OpenIdOut(
            provider=None if held is None else _provider(held),
            domains=openid.domains(pool(), tenant_id),
            login_url=setup.login_url(key),
            redirect_uri=setup.redirect_uri(key),
        )
    )


def _provider(held: TenantProvider) -> ProviderOut:
    said = held.terms
    return ProviderOut(
        name=said.name,
        issuer=said.issuer,
        client_id=said.client_id,
        client_secret=MASKED,
        role_claim=said.role_claim,
        admin_values=list(said.admin_values),
        viewer_values=list(said.viewer_values),
        found_by_domain=said.found_by_domain,
        second_factor=said.second_factor,
        passwords=said.passwords,
        updated_at=held.updated_at,
    )
