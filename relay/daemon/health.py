"""The daemon's own small HTTP port: /metrics, /health/live and /health/ready."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from gevent.pywsgi import WSGIServer
from prometheus_client import make_wsgi_app

from relay.runtime.context import Parts

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def server(parts: Parts, host: str, port: int) -> WSGIServer:
    """Not started. It answers for this process alone and asks nobody else."""
    metrics = make_wsgi_app()

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        if path == "/health/live":
            return _json(start_response, "200 OK", {"status": "ok"})
        if path == "/health/ready":
            checks = ready(parts)
            status = "200 OK" if all(checks.values()) else "503 Service Unavailable"
            return _json(start_response, status, {"status": "ok" if all(checks.values()) else "waiting", **checks})
        return _json(start_response, "404 Not Found", {"status": "here are /metrics, /health/live and /health/ready"})

    return WSGIServer((host, port), application, log=None)


def ready(parts: Parts) -> dict[str, bool]:
    """Lease held, broker connected, and shards to work on."""
    return {
        "lease": time.monotonic() < parts.lease.until,
        "broker": parts.consumer.connected,
        "shards": bool(parts.shards),
    }


def _json(start_response: StartResponse, status: str, body: dict[str, Any]) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
