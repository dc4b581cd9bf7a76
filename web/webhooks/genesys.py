"""/webhook/genesys, and /webhook/genesys/<line key>, which is what a line's integration is given."""

from __future__ import annotations

from flask import Blueprint, Response

from web.request.context import parts
from web.webhooks import endpoint, guesses
from web.webhooks.reception import receive

# Genesys gives up after 10 s and repeats five times; the rest of it is for look-ups.
PUBLISH_SECONDS = 8.0

webhook = Blueprint("webhook_genesys", __name__, url_prefix="/webhook/genesys")
guesses.guard(webhook)


@webhook.get("")
@webhook.get("/<_key>")
def verify(_key: str = "") -> Response:
    """Genesys has no handshake; this answers whoever looks whether the address is right."""
    return Response("ok", mimetype="text/plain")


@webhook.post("")
def receive_for_all() -> Response:
    return receive(endpoint.shared("genesys", ()), PUBLISH_SECONDS)


@webhook.post("/<key>")
def receive_for_line(key: str) -> Response:
    route = parts().lines.by_line_key(key)
    if route is None:
        raise guesses.nobodys()
    return receive(endpoint.of_line(route), PUBLISH_SECONDS)
