"""API keys: a tenant's, and the operator's own. A key is shown once, when it is made."""

from __future__ import annotations

from flask import Response

from db.access import api_keys, users
from db.access.api_keys import ApiKey
from db.tenants.changes import NotFoundError
from web.api.access.schemas import (
    InvitedOut,
    KeyList,
    KeyOut,
    KeyPath,
    KeyWithEnding,
    KeyWithSecret,
    NewKey,
    TenantKeyPath,
)
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import PageQuery, TenantPath
from web.api.tenants.setup import known_tenant
from web.request import access
from web.request.access import Ending
from web.request.context import pool, reply
from web.request.principal import OPERATOR, by, needs

TENANT = "/<uuid:tenant_id>/keys"

api = behind_a_key("keys", __name__, "keys", "/api/tenants")
operator_keys = behind_a_key("operator_keys", __name__, "keys", "/api/keys")


@api.post(TENANT, summary="Make a key for a tenant", responses={201: KeyWithSecret})
@needs("access:write")
def post_key(path: TenantPath, body: NewKey) -> Response:
    """Only scopes that the asking key has itself. It ends with the asking key, and never lives longer.

    A key with `line_ids` sees and does what is of these lines, and only with scopes that are about lines.
    """
    return _made(known_tenant(path).id, body)


@api.get(TENANT, summary="List a tenant's keys", responses={200: KeyList})
@needs("access:read")
def list_keys(path: TenantPath, query: PageQuery) -> Response:
    return _list(known_tenant(path).id, query)


@api.get(f"{TENANT}/<uuid:key_id>", summary="Show a key, and what ends with it", responses={200: KeyWithEnding})
@needs("access:read")
def get_key(path: TenantKeyPath) -> Response:
    return _shown(known_tenant(path).id, str(path.key_id))


@api.delete(f"{TENANT}/<uuid:key_id>", summary="Revoke a tenant's key", responses={200: KeyWithEnding})
@needs("access:write")
def delete_key(path: TenantKeyPath) -> Response:
    """From now on it admits nobody, nor does any key made with it; the answer names those. All stay listed."""
    return _revoked(known_tenant(path).id, str(path.key_id))


@operator_keys.post("", summary="Make a key of the operator's", responses={201: KeyWithSecret})
@needs(OPERATOR, scope="access:write")
def post_operator_key(body: NewKey) -> Response:
    """It is bound to no tenant: X-Tenant-ID names one where one is needed."""
    return _made(None, body)


@operator_keys.get("", summary="List the operator's keys", responses={200: KeyList})
@needs(OPERATOR, scope="access:read")
def list_operator_keys(query: PageQuery) -> Response:
    return _list(None, query)


@operator_keys.get(
    "/<uuid:key_id>", summary="Show a key of the operator's, and what ends with it", responses={200: KeyWithEnding}
)
@needs(OPERATOR, scope="access:read")
def get_operator_key(path: KeyPath) -> Response:
    return _shown(None, str(path.key_id))


@operator_keys.delete("/<uuid:key_id>", summary="Revoke a key of the operator's", responses={200: KeyWithEnding})
@needs(OPERATOR, scope="access:write")
def delete_operator_key(path: KeyPath) -> Response:
    """The keys made with it end too, tenants' keys included; the answer names them."""
    return _revoked(None, str(path.key_id))


def _made(tenant_id: str | None, body: NewKey) -> Response:
    key, secret = access.make_key(pool(), tenant_id, body.name, body.scopes, body.expires_at, body.lines)
    return reply(KeyWithSecret(**KeyOut.model_validate(key).model_dump(), key=secret), 201)


def _list(tenant_id: str | None, query: PageQuery) -> Response:
    after = str(query.after) if query.after else None
    found = api_keys.listed(pool(), tenant_id, query.limit + 1, after, access.root())
    page = found[: query.limit]
    more = page[-1].id if len(found) > query.limit else None
    return reply(KeyList(items=[KeyOut.model_validate(one) for one in page], next=more))


def _shown(tenant_id: str | None, key_id: str) -> Response:
    key = api_keys.get(pool(), tenant_id, key_id, access.root())
    if key is None:
        raise NotFoundError("there is no such key")
    return _told(key, access.ending_with_key(pool(), key_id))


def _revoked(tenant_id: str | None, key_id: str) -> Response:
    key, ended = api_keys.revoke(pool(), by(), tenant_id, key_id)
    return _told(key, Ending(ended, users.invited_with(pool(), [key_id, *(one.id for one in ended)])))


def _told(key: ApiKey, ending: Ending) -> Response:
    return reply(
        KeyWithEnding(
            **KeyOut.model_validate(key).model_dump(),
            ends_with_it=[KeyOut.model_validate(one) for one in ending.keys],
            people_invited=[InvitedOut.model_validate(one) for one in ending.people],
        )
    )
