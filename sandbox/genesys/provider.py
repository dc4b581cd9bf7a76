"""How Genesys answers, and who may call: token, permission, organisation, rate."""

from flask import g, request

from sandbox.accounts import PERMISSIONS, Integration, OAuthClient
from sandbox.gateway import ProviderFront
from sandbox.genesys.errors import GenesysError, correlation_id, injected
from sandbox.genesys.tokens import IssuedToken
from sandbox.world_access import current

REQUEST_BYTES = 512_000


def _headers() -> dict[str, str]:
    return {"ININ-Correlation-Id": correlation_id()} | dict(g.get("rate_headers", {}))


PROVIDER = ProviderFront("genesys", injected, _headers)


def signed_in() -> OAuthClient:
    """Whoever has a token, whatever it may do."""
    token = _token()
    _check_rate(token)
    return current().accounts.clients[token.client_id]


def caller(permission: str, *, messages: bool = False) -> OAuthClient:
    """`messages`: only a token of the client credentials grant will do."""
    client, token = signed_in(), _token()
    if token.user and messages:
        raise GenesysError(403, "This request requires a client credentials grant.", code="not.authorized")
    # An admin who logs in may do all that there is.
    if permission not in (PERMISSIONS if token.user else client.permissions):
        raise GenesysError(
            403, f"Unable to perform the requested action. You are missing the following permission(s): {permission}"
        )
    return client


def integration(integration_id: str, permission: str, *, messages: bool = False) -> Integration:
    """Another organisation's integration looks like one that does not exist."""
    client = caller(permission, messages=messages)
    accounts = current().accounts
    found = accounts.integrations.get(integration_id)
    if found is None or accounts.clients[found.client_id].organisation != client.organisation:
        raise GenesysError(404, f"No integration found with id {integration_id}")
    return found


def _token() -> IssuedToken:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise GenesysError(
            401, "No authentication bearer token specified in authorization header.", code="authentication.required"
        )
    token = current().tokens.get(value.strip())
    if token is None or token.client_id not in current().accounts.clients:
        raise GenesysError(401)
    if token.expired or current().genesys_faults.token_expired == "for_good":
        raise GenesysError(401, "The supplied credentials have expired.", code="credentials.expired")
    return token


def _check_rate(token: IssuedToken) -> None:
    world = current()
    limits = world.limits.genesys
    if limits.per_minute is None:
        return
    if limits.algorithm == "bucket":
        wait = world.buckets.take(f"token:{token.value}", limits.per_minute, limits.per_minute / 60)
        if wait:
            raise _too_many(limits.per_minute, int(wait) + 1)
        return
    count, seconds_left = world.windows.take(token.value, limits.per_minute)
    g.rate_headers = {
        "inin-ratelimit-count": str(min(count, limits.per_minute)),
        "inin-ratelimit-allowed": str(limits.per_minute),
        "inin-ratelimit-reset": str(seconds_left),
    }
    if count > limits.per_minute:
        raise _too_many(limits.per_minute, seconds_left)


def _too_many(allowed: int, seconds: int) -> GenesysError:
    error = GenesysError(
        429,
        f"Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
        limit={"key": "client.credentials.token.rate.per.minute", "namespace": "platform.api", "value": allowed},
    )
    error.headers = {"Retry-After": str(seconds)}
    return error
