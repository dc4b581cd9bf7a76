"""The Flask application, made of its parts. Nothing is opened here; relay.bootstrap has built the clients."""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, current_app, g, request

from web import api, health, metrics, webhooks
from web.api.errors import request_id
from web.arrival import ArrivalTime
from web.parts import WebParts

log = structlog.get_logger(__name__)

# Meta's largest webhook has 3 MB.
BODY_LIMIT = 4 * 1024 * 1024
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}
# Asked every few seconds by machines; they would hide everything else in the log.
QUIET = ("/health/", "/metrics")


def create_app(parts: WebParts) -> Flask:
    """Webhooks, API and health on one application. A view that sets one of HEADERS itself keeps its own."""
    app = api.new_app(__name__)
    app.config.update(SECRET_KEY=parts.secret_key, MAX_CONTENT_LENGTH=BODY_LIMIT)
    app.config["SECURITY_HEADERS"] = HEADERS | (HSTS if parts.public_url.startswith("https:") else {})
    app.extensions["relay"] = parts
    app.wsgi_app = ArrivalTime(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.after_request(_finish)
    api.register(app)
    webhooks.register(app)
    health.register(app)
    return app


def _begin() -> None:
    g.started = time.monotonic()
    # A connection's requests share one greenlet, and with it the log's context.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id())


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    for name, value in current_app.config["SECURITY_HEADERS"].items():
        response.headers.setdefault(name, value)
    metrics.requests.labels(request.method, str(response.status_code)).inc()
    # The rule, not the path: webhook addresses hold keys that must not be guessed.
    rule = request.url_rule.rule if request.url_rule else "(none)"
    if not rule.startswith(QUIET):
        seconds = time.monotonic() - g.started
        log.info("request", method=request.method, rule=rule, status=response.status_code, seconds=round(seconds, 4))
        if rule.startswith("/webhook/") and request.method == "POST":
            channel = "genesys" if rule.startswith("/webhook/genesys") else "whatsapp"
            metrics.webhook_seconds.labels(channel).observe(seconds)
    return response
