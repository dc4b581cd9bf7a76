"""When a request arrived, and its id: stamped before anything else looks at it, since messages are ordered by it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from relay import even_clock

ARRIVED, BEGAN, ID = "relay.arrived_at", "relay.began", "relay.request_id"
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ArrivalMiddleware:
    """WSGI middleware, the outermost."""

    def __init__(self, application: WsgiApp) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ[ARRIVED], environ[BEGAN] = even_clock.now(), time.monotonic()
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ[ID] = given if REQUEST_ID.match(given) else uuid4().hex
        return self._application(environ, start_response)


def arrived_at(environ: dict[str, Any]) -> float:
    """Unix seconds."""
    return float(environ[ARRIVED])


def began(environ: dict[str, Any]) -> float:
    """The same moment of time.monotonic."""
    return float(environ[BEGAN])


def request_id(environ: dict[str, Any]) -> str:
    """The caller's own where it is usable."""
    return str(environ[ID])
