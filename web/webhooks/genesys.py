"""/webhook/genesys, and /webhook/genesys/<line key>, which is what a line's integration is given."""

from __future__ import annotations

from flask import Blueprint, Response

from web.request.web_context import WebContext
from web.webhooks import endpoint, guesses
from web.webhooks.endpoint import Endpoint, NobodysAddressError

webhook = Blueprint("webhook_genesys", __name__, url_prefix="/webhook/genesys")
guesses.guard(webhook)


@webhook.get("")
@webhook.get("/<_key>")
def verify(_key: str = "") -> Response:
    """Genesys has no handshake; this answers whoever looks whether the address is right."""
    return Response("ok", mimetype="text/plain")


def endpoint_at(key: str, held: WebContext) -> Endpoint:
    """What is called with a line's key, or with "". Raises NobodysAddressError or DatabaseError."""
    if not key:
        return endpoint.shared("genesys", ())
    route = held.lines.by_line_key(key)
    if route is None:
        raise NobodysAddressError
    return endpoint.of_line(route)
