"""When a request arrived: stamped before anything else looks at it, since messages are ordered by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

KEY = "relay.arrived_at"
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ArrivalTime:
    """WSGI middleware, the outermost."""

    def __init__(self, application: WsgiApp) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ[KEY] = time.time()
        return self._application(environ, start_response)


def arrived_at(environ: dict[str, Any]) -> float:
    """Unix seconds."""
    return float(environ[KEY])
