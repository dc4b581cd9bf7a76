"""/webhook/meta, and /webhook/meta/<tenant key> for tenants with a Meta app of their own."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, request

from web.request.context import web_context
from web.request.errors import ApiError
from web.request.web_context import WebContext
from web.webhooks import endpoint, guesses
from web.webhooks.endpoint import Endpoint, NobodysAddressError

webhook = Blueprint("webhook_meta", __name__, url_prefix="/webhook/meta")
guesses.guard(webhook)


@webhook.get("")
def shake_hands() -> Response:
    return _challenge(web_context().meta_verify_token)


@webhook.get("/<key>")
def shake_hands_with_tenant(key: str) -> Response:
    hook = web_context().lines.by_tenant_key(key)
    if hook is None:
        return _challenge("")
    return _challenge(hook.verify_token or web_context().meta_verify_token)


def endpoint_at(key: str, held: WebContext) -> Endpoint:
    """What is called with a tenant's key, or with "". Raises NobodysAddressError or DatabaseError."""
    if not key:
        return endpoint.shared("whatsapp", held.meta_app_secrets)
    hook = held.lines.by_tenant_key(key)
    if hook is None:
        raise NobodysAddressError
    return endpoint.of_tenant(hook, held.meta_app_secrets)


def _challenge(expected: str) -> Response:
    """Meta signs no GET: the token is the proof. An unset token admits nobody."""
    given = request.args.get("hub.verify_token", "")
    same = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
    if not (expected and same and request.args.get("hub.mode") == "subscribe"):
        raise ApiError(403, "forbidden", "the verify token is not the one set here")
    return Response(request.args.get("hub.challenge", ""), mimetype="text/plain")
