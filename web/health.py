"""/health/live, /health/ready and /metrics. Readiness tells of every part, and does not ask about daemons.

Nobody shows a key here: whatever costs something is worked out once a second, however many ask.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import gevent
from flask import Blueprint, Flask, Response, current_app, jsonify, make_response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from db.pool import DatabaseError, Pool
from web.request.throttle import Recent
from web.request.web_context import WebContext

CHECK_SECONDS = 2.0


blueprint = Blueprint("health", __name__)


def register(app: Flask) -> None:
    context: WebContext = app.extensions["relay"]
    app.extensions["recent-readiness"] = Recent(lambda: _readiness(context))
    app.extensions["recent-metrics"] = Recent(_rendered)
    app.register_blueprint(blueprint)


@blueprint.get("/health/live")
def live() -> Response:
    return jsonify({"status": "live"})


@blueprint.get("/health/ready")
def ready() -> Response:
    """Ready means: a webhook for a known line gets its 200.

    That takes the broker, and PostgreSQL only for the first time: lines are cached. So while
    PostgreSQL, Redis or the object store is away this says so, and web goes on. A worker that stops is
    not ready, so that a balancer goes elsewhere.
    """
    if current_app.extensions.get("stopping"):
        return make_response({"status": "stopping"}, 503)
    is_ready, body = current_app.extensions["recent-readiness"].get()
    response = jsonify(body)
    response.status_code = 200 if is_ready else 503
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """All workers' together where conf/gunicorn.py has given them a common folder."""
    return Response(current_app.extensions["recent-metrics"].get(), content_type=CONTENT_TYPE_LATEST)


def _readiness(context: WebContext) -> tuple[bool, dict[str, Any]]:
    found = _checked(
        {
            "database": lambda: _database_answers(context.pool),
            "broker": lambda: context.publisher.connected,
            "redis": context.cache.ping,
            "object_store": context.objects.ping,
        }
    )
    is_ready = context.preparation.done and found["broker"]
    body: dict[str, Any] = {
        "status": "ready" if is_ready else "not ready",
        "checks": {name: "ok" if answers else "away" for name, answers in found.items()},
        "waiting_for": context.preparation.left,
    }
    if context.preparation.problem:
        body["problem"] = context.preparation.problem
    return is_ready, body


def _rendered() -> bytes:
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)


def _checked(checks: dict[str, Callable[[], bool]]) -> dict[str, bool]:
    """All at once; what has no answer in time counts as away. Each ends by its own client's deadline."""
    running = {name: gevent.spawn(check) for name, check in checks.items()}
    gevent.joinall(list(running.values()), timeout=CHECK_SECONDS)
    return {name: greenlet.ready() and bool(greenlet.value) for name, greenlet in running.items()}


def _database_answers(pool: Pool) -> bool:
    try:
        with pool.autocommit(CHECK_SECONDS) as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
