"""GET /auth/token: the one place where a provider's access token leaves in clear. Scoped, and audited each time."""

from __future__ import annotations

import time
from typing import Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from db.tenants import credentials, lines, onboarding
from relay.channels.base import Account, Token
from relay.core.errors import SendError
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import ErrorBody, ProviderId, RequestModel
from web.request import data_access
from web.request.context import pool, reply, web_context
from web.request.errors import ApiError
from web.request.principal import needs

SECONDS = 10.0
REF = {"whatsapp": "phone_number_id", "genesys": "integration_id"}
Side = Literal["whatsapp", "genesys"]

api = behind_a_key("tokens", __name__, "tokens", "/auth")


class TokenHeaders(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    side: Side = Field("genesys", alias="X-Credential-Type", description="whose token")


class TokenQuery(RequestModel):
    """Only for a line; left out, the tenant's credentials as they are."""

    phone_number_id: ProviderId | None = None
    integration_id: ProviderId | None = None


class TokenOut(BaseModel):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int | None = Field(description="seconds; null: it does not expire, or the provider has not told")
    credential_type: Side
    tenant_id: str


@api.get("/token", summary="An access token of a provider", responses={200: TokenOut, 409: ErrorBody})
@needs("tokens:read")
def get_token(header: TokenHeaders, query: TokenQuery) -> Response:
    """Kept until shortly before it expires, and fetched anew then."""
    tenant_id, side = auth.required_tenant(), header.side
    account = _account(tenant_id, side, query)
    token = _fetched(side, account)
    data_access.record(tenant_id, "token.read", side)
    left = None if token.expires_at is None else max(0, int(token.expires_at - time.time()))
    told = {"access_token": token.value, "token_type": "Bearer", "expires_in": left}
    return reply(TokenOut.model_validate({**told, "credential_type": side, "tenant_id": tenant_id}))


def _account(tenant_id: str, side: Side, query: TokenQuery) -> Account:
    named = {"phone_number_id": query.phone_number_id, "integration_id": query.integration_id}
    wanted = {name: value for name, value in named.items() if value is not None}
    if wanted:
        return _of_line(tenant_id, side, wanted)
    held = credentials.opened(pool(), web_context().cipher, tenant_id, side)
    if held is None:
        raise _missing(side)
    return Account(tenant_id, "", held.values.get(REF[side], ""), held.values)


def _of_line(tenant_id: str, side: Side, wanted: dict[str, str]) -> Account:
    for line in onboarding.listed(pool(), tenant_id):
        if all(getattr(line, name) == value for name, value in wanted.items()):
            found = lines.accounts(pool(), web_context().cipher, line.id)
            values = (found.whatsapp if side == "whatsapp" else found.genesys) if found else {}
            if len(values) <= 1:  # the line's own id and nothing to go with it
                raise _missing(side)
            return Account(tenant_id, line.id, values[REF[side]], values, line.settings)
    raise ApiError(404, "line_missing", "this tenant has no such line")


def _missing(side: Side) -> ApiError:
    return ApiError(404, "credentials_missing", f"this tenant has no {side} credentials yet; PUT them first")


def _fetched(side: Side, account: Account) -> Token:
    """A no of the provider's is the credentials' fault; no answer is nobody's."""
    try:
        return web_context().channels[side].token(account, time.monotonic() + SECONDS)
    except SendError as error:
        if error.fate in ("credentials", "refused"):
            raise ApiError(409, "credentials_refused", f"{side} refuses the credentials: {error.text}") from None
        text = f"{side} did not give a token: {error.text}; try again in a moment"
        raise ApiError(503, "provider_unavailable", text, retry_after=error.retry_after or 2) from None
