"""Where webhooks enter: before Flask, whose sessions, hooks and routes are for people's pages.

What is taken is answered here. Whatever keeps a webhook from being taken is handed on with it: the application answers
it like every other error, and is the only one that knows how.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import structlog
from flask import request

from relay.core.errors import StoreError
from web.request import record
from web.request.arrival import WsgiApp, began, request_id
from web.request.web_context import WebContext
from web.webhooks import genesys, guesses, meta
from web.webhooks.budget import OverShareError
from web.webhooks.endpoint import Endpoint, NobodysAddressError
from web.webhooks.reception import receive

ADDRESS = re.compile(r"/webhook/(meta|genesys)(?:/([^/]+))?")
ENDPOINTS = {"meta": meta.endpoint_at, "genesys": genesys.endpoint_at}
CHANNELS = {"meta": "whatsapp", "genesys": "genesys"}
REFUSED = "relay.webhook_refused"


class Entrance:
    """WSGI middleware around Flask's own application."""

    def __init__(self, application: WsgiApp, held: Callable[[], WebContext], headers: Mapping[str, str]) -> None:
        """`headers` stand on every answer."""
        self._application = application
        self._held = held
        self._headers = (("Content-Type", "text/plain"), ("Content-Length", "0"), *headers.items())

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        called = ADDRESS.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        if called is None:
            return self._application(environ, start_response)
        # A connection's requests share one greenlet, and with it the log's context.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id(environ))
        side, key = called[1], called[2]
        held, endpoint = self._held(), None
        try:
            endpoint = ENDPOINTS[side](_decoded(key), held)
            receive(environ, endpoint, held)
        except Exception as error:  # noqa: BLE001 - `refused` raises it again
            if side == "genesys" and isinstance(error, StoreError) and not isinstance(error, OverShareError):
                held.absence.refused(_line_of(endpoint))
            environ[REFUSED] = error
            return self._application(environ, start_response)
        if side == "genesys":
            held.absence.taken(_line_of(endpoint))
        seconds = time.monotonic() - began(environ)
        record.answered("POST", f"/webhook/{side}/<key>" if key else f"/webhook/{side}", 200, seconds)
        start_response("200 OK", [*self._headers, ("X-Request-ID", request_id(environ))])
        return ()


def refused() -> NoReturn:
    """The view of a webhook that was not taken. Raises what kept it from that."""
    error = request.environ[REFUSED]
    raise guesses.nobodys() if isinstance(error, NobodysAddressError) else error


def _line_of(endpoint: Endpoint | None) -> str | None:
    return endpoint.line.line_id if endpoint is not None and endpoint.line is not None else None


def _decoded(key: str | None) -> str:
    """WSGI hands over bytes as Latin-1; keys are ASCII, and what strangers try is anything."""
    return key.encode("latin-1").decode("utf-8", "replace") if key else ""
