"""/openapi.json and /docs: the API described from its own code, and a page to read it that needs no internet."""

from __future__ import annotations

from functools import partial
from math import inf
from pathlib import Path

import flask_openapi3_swagger
import gevent
from flask import Blueprint, Flask, Response, current_app, make_response, render_template

from web.api.description.openapi import described
from web.request.throttle import Recent

DESCRIPTION = """Tenants, credentials, lines, users and keys, conversations and messages of the relay between
WhatsApp and Genesys.

Every request carries a key: `Authorization: Bearer <key>`. A key has scopes; each endpoint says which one it needs.
Where a key is bound to no tenant, `X-Tenant-ID` names one. Errors have one shape, and every answer carries an
`X-Request-ID` by which the log is searched. Lists are pages: hand `next` back until it is null."""

SWAGGER = Path(flask_openapi3_swagger.__file__).parent / "templates" / "swagger"
# Swagger UI draws within this: it sets styles from its script, and nothing of it is inline.
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

blueprint = Blueprint("docs", __name__, static_folder=str(SWAGGER), static_url_path="/docs/swagger")


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.extensions["openapi-written"] = Recent(partial(_written, app), seconds=inf)


def _written(app: Flask) -> bytes:
    """In a thread: it takes half a second, in which this worker's webhooks would wait."""
    written: bytes = gevent.get_hub().threadpool.apply(lambda: app.json.dumps(described(app)).encode())
    return written


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Nobody shows a key here: the description is made and written down for the first who asks, and for all others."""
    return Response(current_app.extensions["openapi-written"].get(), mimetype="application/json")


@blueprint.get("/docs")
def docs() -> Response:
    response = make_response(render_template("docs/docs.html"))
    response.headers["Content-Security-Policy"] = CSP
    return response
