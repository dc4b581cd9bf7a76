"""Errors in Meta's shape: {"error": {"message", "type", "code", "error_data", "fbtrace_id"}}.

Libraries choose by `code`, so what the relay itself says has the code that Meta has for the same. Source: Meta's page
of error codes. `fbtrace_id` is our request's id: it leads to the log.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, Field

from relay.core.explain.causes import Cause
from web.actions.templates import MISTAKE
from web.api.messages.native import ObjectError
from web.request.errors import request_id

Json = dict[str, Any]

FOREIGN = 33
"""The subcode of what the caller may not see, or is not there."""
_TITLES = {
    2: "API Service",
    4: "Application request limit reached",
    100: "Invalid parameter",
    131000: "Something went wrong",
    132000: "Template Param Count Mismatch",
    132001: "Template does not exist in the translation",
    132012: "Template Parameter Format Mismatch",
    190: "Invalid OAuth access token",
    200: "Permissions error",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131050: "User has stopped marketing messages",
    131051: "Unsupported message type",
    131053: "Media upload error",
    130429: "Rate limit hit",
    130472: "Message not allowed",
}
_BEGINNING = re.compile(r"\(#(\d{1,9})\)[^:]{0,200}: ")
_OF_CAUSE: dict[Cause, int] = {
    "window_closed": 131047,
    "rate": 130429,
    "not_allowed": 130472,
    "unsupported": 131051,
    "invalid": 131009,
    "recipient": 131026,
    "server": 131000,
    "media_type": 131053,
    "media_size": 131053,
    "opted_out": 131050,
    "credentials": 131005,
    "general": 131000,
}
_OF_OURS: dict[str, tuple[int, int]] = {
    "unauthorised": (190, 401),
    "forbidden": (200, 403),
    "too_many_requests": (4, 429),
    "unavailable": (2, 503),
    "invalid_request": (131009, 400),
    "internal_error": (131000, 500),
}
"""Our own code of an error, and what it is at Meta's address: (Meta's code, HTTP status)."""
_OF_TEMPLATES = {"name": 132001, "language": 132001, "parameters": 132000, "offer_ends": 131008}
"""By what is wrong with a filled-in template; all else has another form than Meta approved (132012)."""
_MISSING = ("line_missing", "not_found")


class GraphErrorData(BaseModel):
    messaging_product: str
    details: str


class GraphErrorInfo(BaseModel):
    message: str
    type: str
    code: int
    error_subcode: int | None = None
    error_data: GraphErrorData | None = None
    fbtrace_id: str = Field(description="the id of the request, as in X-Request-ID")


class GraphErrorBody(BaseModel):
    """What every error looks like at Meta's address."""

    error: GraphErrorInfo


def refusal(code: int, details: str, status: int = 400, *, subcode: int | None = None) -> Response:
    """An error as it leaves."""
    error: Json = {
        "message": f"(#{code}) {_TITLES.get(code, 'Message not sent')}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": request_id(),
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    response = jsonify({"error": error})
    response.status_code = status
    return response


def wrong_object(error: ObjectError) -> Response:
    return refusal(error.code, f"{error.field} {error.text}")


def not_sent(code: str | None, cause: Cause, text: str | None) -> Response:
    """A message that failed: with the provider's own code where it has one."""
    own = int(code) if code and code.isascii() and code.isdecimal() and len(code) <= 9 else _OF_CAUSE[cause]
    # The reason begins with what stands in `message` already.
    beginning = _BEGINNING.match(text or "")
    words = (text or "")[beginning.end() if beginning and beginning[1] == str(own) else 0 :]
    words = words or "the message was not sent"
    return refusal(own, words, 500 if own in (1, 2, 131000, 131016) else 400)


def in_metas_shape(response: Response) -> Response:
    """After every request at Meta's address: an error of the relay's own shape becomes one of Meta's."""
    told = response.get_json(silent=True) if response.status_code >= 400 else None
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), str):
        return response
    ours, text = error["code"], str(error.get("message"))
    if ours in _MISSING:
        made = refusal(100, f"Object does not exist, or this key may not see it: {text}", subcode=FOREIGN)
    elif ours == MISTAKE:
        [first, *_] = error["details"]
        made = refusal(_OF_TEMPLATES.get(str(first["field"]).rpartition(".")[2], 132012), text)
    else:
        code, status = _OF_OURS.get(ours, (100, response.status_code))
        made = refusal(code, text, status)
    for name in ("Retry-After", "WWW-Authenticate"):
        if name in response.headers:
            made.headers[name] = response.headers[name]
    return made
