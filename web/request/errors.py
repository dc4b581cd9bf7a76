"""One shape for every error: {"error": {"code", "message", "details", "request_id"}}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from db.tenants.changes import NotFoundError, TakenError
from relay.core.errors import StoreError
from web.request import arrival, wording

log = structlog.get_logger(__name__)

CODES = {
    400: "bad_request",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}
TEXTS = {
    404: "there is nothing at this address",
    405: "this address does not take this method",
    413: "the request is larger than is accepted here",
}
Details = Sequence[Mapping[str, Any]]


class ApiError(Exception):
    """An answer other than success. The text is for people and says what to do."""

    def __init__(
        self, status: int, code: str, message: str, details: Details = (), retry_after: float | None = None
    ) -> None:
        """`retry_after` in seconds: when it is worth trying again."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after


def wrong_field(field: str, text: str, code: str = "invalid_request") -> ApiError:
    """A field that is no use: `text` goes on from its name."""
    return ApiError(400, code, f"`{field}` {text}", [{"field": field, "message": text}])


def request_id() -> str:
    """The id of this request."""
    return arrival.request_id(request.environ)


def answer(status: int, code: str, message: str, details: Details = ()) -> Response:
    """An error as it leaves."""
    body = {"code": code, "message": message, "details": [dict(one) for one in details], "request_id": request_id()}
    response = jsonify({"error": body})
    response.status_code = status
    return response


def unusable(error: ValidationError) -> Response:
    """What is wrong with the request, field by field."""
    details = wording.details(error)
    return answer(400, "invalid_request", wording.summary(details), details)


def install(app: Flask) -> None:
    """Handlers for everything that a view, or Flask itself, may raise."""
    app.register_error_handler(ApiError, _ours)
    app.register_error_handler(NotFoundError, lambda error: answer(404, "not_found", str(error)))
    app.register_error_handler(TakenError, lambda error: answer(409, error.code, str(error)))
    app.register_error_handler(StoreError, _away)
    app.register_error_handler(
        RecursionError, lambda _: answer(400, "invalid_request", "the body is nested too deeply")
    )
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: ApiError) -> Response:
    response = answer(error.status, error.code, error.message, error.details)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(ceil(error.retry_after))
    return response


def _away(error: StoreError) -> Response:
    log.warning("a store is away", error=str(error), rule=str(request.url_rule))
    response = answer(503, "unavailable", "something that this needs does not answer; try again in a moment")
    response.headers["Retry-After"] = "2"
    return response


def _http(error: HTTPException) -> Response:
    if error.response is not None:  # validation has made its answer already
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    text = TEXTS.get(status) or str(error.description or error.name).rstrip(".")
    response = answer(status, CODES.get(status, "error"), text)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", rule=str(request.url_rule), method=request.method, exc_info=error)
    return answer(500, "internal_error", "something went wrong here; the request id leads to the log")
