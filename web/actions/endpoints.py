"""Tenants' endpoints as pages and API set them up: the address looked at, the secret made, how often one is tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db.endpoints import log, registry
from db.endpoints.registry import TenantEndpoint, TooManyEndpointsError
from db.pool import Pool
from relay.channels.webhooks.signing import new_secret
from relay.core.endpoints.kinds import KINDS
from relay.core.errors import SendError
from web.request import limits
from web.request.context import web_context
from web.request.errors import ApiError, wrong_field
from web.request.principal import by


def create(
    pool: Pool, tenant_id: str, url: str, name: str, kinds: Sequence[str], contents: bool
) -> tuple[TenantEndpoint, str]:
    """The endpoint and its secret, which nobody is shown again. Raises ApiError."""
    _admit(url, tenant_id)
    secret = new_secret()
    try:
        made = registry.create(
            pool, web_context().cipher, by(), tenant_id, secret, url=url, name=name, kinds=_ordered(kinds),
            contents=contents,
        )  # fmt: skip
    except TooManyEndpointsError as error:
        raise ApiError(409, "too_many_endpoints", str(error)) from None
    return made, secret


def change(pool: Pool, tenant_id: str, endpoint_id: str, values: Mapping[str, Any]) -> TenantEndpoint:
    """Raises ApiError, and NotFoundError."""
    if "url" in values:
        _admit(values["url"], tenant_id)
    if "kinds" in values:
        values = {**values, "kinds": _ordered(values["kinds"])}
    return registry.change(pool, by(), tenant_id, endpoint_id, values)


def rotate(pool: Pool, tenant_id: str, endpoint_id: str) -> tuple[str, datetime]:
    """The new secret, and until when the former one signs beside it. Raises NotFoundError."""
    secret = new_secret()
    return secret, registry.rotate(pool, web_context().cipher, by(), tenant_id, endpoint_id, secret)


def test(pool: Pool, tenant_id: str, endpoint_id: str) -> str:
    """The id of the event that the endpoint is told. Raises ApiError, and NotFoundError."""
    if not registry.get(pool, tenant_id, endpoint_id).active:
        raise ApiError(409, "endpoint_off", "The endpoint is switched off. Switch it on, then send a test.")
    limits.may_test_an_endpoint(endpoint_id)
    return log.test(pool, by(), tenant_id, endpoint_id)


def _admit(url: str, tenant_id: str) -> None:
    try:
        web_context().webhooks.admit(url, tenant_id)
    except SendError:
        raise wrong_field("url", "has to be https:// and a public host, without port or password") from None


def _ordered(kinds: Sequence[str]) -> list[str]:
    return [one for one in KINDS if one in kinds]
