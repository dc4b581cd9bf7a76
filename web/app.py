"""The Flask application, made of its parts. Nothing is opened here; web.bootstrap has built the clients."""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, current_app, g, request
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from web import health
from web.api import routes as api
from web.portal import routes as portal
from web.request import idempotency, limits, record, refusals
from web.request.arrival import ArrivalMiddleware, began
from web.request.errors import request_id
from web.request.web_context import WebContext
from web.webhooks import routes as webhooks
from web.webhooks.entrance import Entrance

BODY_LIMIT = 256 * 1024
"""Of everything but webhooks, which have a limit of their own (web.webhooks.budget)."""
API_PATHS = r"^/(api|auth|state|genesys|whatsapp|tenants)(/|$)"
ASKING_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "X-Credential-Type",
    "X-Request-ID",
    "X-Tenant-ID",
)
SHOWN_HEADERS = ("Idempotency-Replayed", "Location", "Retry-After", "X-Request-ID")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


def create_app(context: WebContext) -> Flask:
    """Webhooks, API, health and portal on one application. A view that sets one of HEADERS itself keeps its own."""
    app = api.new_app(__name__)
    # Werkzeug's redirects to the same address with other slashes would follow the Host header; ours name paths only.
    app.url_map.merge_slashes = False
    app.config.update(SECRET_KEY=context.secret_key, MAX_CONTENT_LENGTH=BODY_LIMIT)
    app.config["SECURITY_HEADERS"] = HEADERS | (HSTS if context.public_url.startswith("https:") else {})
    app.extensions["relay"] = context
    entrance = Entrance(app.wsgi_app, lambda: app.extensions["relay"], app.config["SECURITY_HEADERS"])
    app.wsgi_app = ArrivalMiddleware(entrance)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.after_request(_finish)
    api.register(app)
    webhooks.register(app)
    health.register(app)
    portal.register(app)
    limits.register(app)
    refusals.register(app)
    app.after_request(idempotency.finish)
    _let_pages_ask(app, context.cors_origins)
    if context.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=context.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
    return app


def _let_pages_ask(app: Flask, origins: tuple[str, ...]) -> None:
    """CORS: browsers let pages of these origins ask the API. They send a key; cookies are never let through."""
    if origins:
        CORS(
            app,
            resources={API_PATHS: {"origins": list(origins)}},
            allow_headers=list(ASKING_HEADERS),
            expose_headers=list(SHOWN_HEADERS),
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            max_age=600,
        )


def _begin() -> None:
    # A connection's requests share one greenlet, and with it the log's context.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id())


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    for name, value in current_app.config["SECURITY_HEADERS"].items():
        response.headers.setdefault(name, value)
    rule = request.url_rule.rule if request.url_rule else "(none)"
    seconds = time.monotonic() - began(request.environ)
    principal = g.principal.id if "principal" in g else None
    record.answered(request.method, rule, response.status_code, seconds, principal)
    return response
