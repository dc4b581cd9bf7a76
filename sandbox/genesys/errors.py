"""Genesys' refusals, in the ErrorBody that every call of its platform uses."""

import uuid
from typing import Any

from flask import g

from sandbox.refusal import Refusal

_MESSAGES = {
    400: ("bad.request", "The request could not be understood by the server due to malformed syntax."),
    401: ("bad.credentials", "Invalid login credentials."),
    403: ("missing.permissions", "You are not permitted to perform this action."),
    404: ("not.found", "The requested resource was not found."),
    408: ("request.timeout", "The request timed out."),
    413: ("request.entity.too.large", "The request is larger than the maximum of 512000 bytes."),
    415: (
        "unsupported.media.type",
        "Unsupported Media Type - Unsupported or incorrect media type, such as an incorrect "
        "Content-Type value in the header.",
    ),
    429: ("too.many.requests.retry.after", "Rate limit exceeded the maximum."),
    500: (
        "internal.server.error",
        "The server encountered an unexpected condition which prevented it from fulfilling the request.",
    ),
    503: (
        "service.unavailable",
        "Service Unavailable - The server is currently unavailable (because it is overloaded or down for maintenance).",
    ),
    504: ("authentication.request.timeout", "Authentication request timeout."),
}


class GenesysError(Refusal):
    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        code: str | None = None,
        details: list[dict[str, Any]] | None = None,
        limit: dict[str, Any] | None = None,
    ) -> None:
        default_code, default_message = _MESSAGES.get(status, ("bad.request", "Request failed."))
        self.code, self.message = code or default_code, message or default_message
        self.details, self.limit = details or [], limit
        super().__init__(status, f"{self.code}: {self.message}")

    def body(self) -> dict[str, Any]:
        body = {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "contextId": correlation_id(),
            "details": self.details,
            "errors": [],
        }
        return body | ({"limit": self.limit} if self.limit else {})


def correlation_id() -> str:
    """One per request: in the header of every answer, and in the body of a refusal."""
    if "correlation_id" not in g:
        g.correlation_id = str(uuid.uuid4())
    return str(g.correlation_id)


def injected(code: int) -> GenesysError:
    status = code if 400 <= code <= 599 else 500
    return GenesysError(status, "Injected by the sandbox")
