"""Idempotency-Key: the repeat of a request that creates something is answered as the first one was.

`begin` runs once it is known who asks, `finish` as the answer leaves. Only what succeeded is kept:
after an error the key may be used again. Sends know their repeats themselves (web.actions.sends).
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any, TypeVar

import structlog
from flask import Response, current_app, g, request

from db.access import idempotency
from relay.core.errors import StoreError
from web.request.context import web_context
from web.request.errors import ApiError, wrong_field
from web.request.principal import principal

log = structlog.get_logger(__name__)

HEADER = "Idempotency-Key"
# No #, which divides the parts of a message's id.
KEY = re.compile(r"^[!\"$-~]{1,128}$")
KEPT_HEADERS = ("Content-Type", "Location")
View = TypeVar("View")


def own(view: View) -> View:
    """Marks a view that knows repeats by itself."""
    view.knows_repeats = True  # type: ignore[attr-defined]
    return view


def key() -> str | None:
    """The key of this request. Raises ApiError 400."""
    given = request.headers.get(HEADER)
    if given is not None and not KEY.match(given):
        raise wrong_field(HEADER, "must be 1 to 128 printable ASCII characters without spaces and without #")
    return given


def begin() -> Response | None:
    """The answer of the first request with this key, if there is one. Raises ApiError 409."""
    given = key()
    view = current_app.view_functions.get(request.endpoint or "")
    if given is None or request.method != "POST" or hasattr(view, "knows_repeats"):
        return None
    held = web_context()
    kept = idempotency.begin(held.pool, held.cipher, principal().id, given, _fingerprint())
    if isinstance(kept, datetime):
        g.idempotency_key = given, kept
        return None
    if not kept.same:
        raise ApiError(409, "idempotency_key_reused", f"another request came with this {HEADER} before; use a new one")
    if not kept.finished:
        text = f"the first request with this {HEADER} is still running; ask again for its answer"
        raise ApiError(409, "still_running", text, retry_after=2)
    if kept.answer is None:
        raise ApiError(409, "answer_lost", "it was done, but its answer can no longer be read; look at what is there")
    return _again(kept.answer)


def finish(response: Response) -> Response:
    """After every request: keep the answer, or give the key free."""
    held_key = g.pop("idempotency_key", None)
    if held_key is None:
        return response
    given, begun = held_key
    held, owner = web_context(), principal().id
    try:
        if response.status_code < 300:
            idempotency.finish(held.pool, held.cipher, owner, given, begun, response.status_code, _kept(response))
        else:
            idempotency.give_up(held.pool, owner, given, begun)
    except StoreError as error:
        log.warning("answer_not_kept", error=str(error))  # the key counts as running, and is free again in a while
    return response


def _fingerprint() -> bytes:
    told = (request.method, request.full_path, request.headers.get("X-Tenant-ID", ""))
    return hashlib.sha256("\n".join(told).encode("utf-8", "replace") + b"\n" + request.get_data()).digest()


def _kept(response: Response) -> dict[str, Any]:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return {"status": response.status_code, "body": response.get_data(as_text=True), "headers": headers}


def _again(kept: dict[str, Any]) -> Response:
    response = Response(kept["body"], kept["status"], kept["headers"])
    response.headers["Idempotency-Replayed"] = "true"
    return response
