"""Genesys' errors as data: what each means for the message and for its line.

Source: SDK model ErrorBody; "Normalized Platform API 429 responses" in the community.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from relay.channels.http.client import HttpResponse, redact
from relay.channels.http.reading import joined, record, records
from relay.channels.text import clean
from relay.core.errors import Fate, SendError

_FATES: dict[int, Fate] = {
    400: "refused",
    401: "credentials",
    403: "credentials",
    404: "credentials",
    405: "refused",
    408: "unknown",
    409: "refused",
    413: "refused",
    414: "refused",
    415: "refused",
    422: "refused",
    429: "throttled",
    504: "unknown",
}
_PERMISSION = re.compile(r"\b[A-Za-z]+:[A-Za-z]+:(?:[A-Za-z]+|\*)")
MOST_PERMISSIONS = 8
_NOT_THEIR_WORD = (401, 403, 404, 409)
"""Without Genesys' own body these come from something in between, and say nothing of the line."""


def error_body(answer: HttpResponse) -> dict[str, Any] | None:
    """Genesys' own error body, None where the answer has none."""
    body = record(answer.data)
    return body if isinstance(body.get("code"), str) or isinstance(body.get("message"), str) else None


def failure(answer: HttpResponse, secrets: Iterable[str] = (), *, about_another: bool = False) -> SendError:
    """The SendError for an answer that is not a success.

    A 404 for a receipt or an answer is about the message it names, never a reason to stop the line.
    """
    body = error_body(answer)
    secrets = (*secrets, answer.token)
    fate = _fate(answer.status, body is not None)
    if about_another and answer.status == 404 and fate == "credentials":
        fate = "refused"
    code = clean(record(body).get("code")) or f"http_{answer.status}"
    return SendError(
        fate,
        code,
        redact(_text(record(body)) or f"HTTP {answer.status} without Genesys' own answer", secrets),
        retry_after=answer.retry_after,
        status=answer.status,
        trace_id=trace_id(answer),
        answer=answer.kept(secrets),
    )


def trace_id(answer: HttpResponse) -> str | None:
    """What Genesys' support asks for."""
    return answer.headers.get("inin-correlation-id") or clean(record(answer.data).get("contextId"))


def _fate(status: int, own: bool) -> Fate:
    if status in _NOT_THEIR_WORD and not own:
        return "retry"
    if status in _FATES:
        return _FATES[status]
    if status >= 500:
        return "retry" if own else "unknown"
    return "unknown" if status < 300 else "retry"


def _text(body: dict[str, Any]) -> str:
    details = (detail.get("errorCode") or detail.get("message") for detail in records(body.get("details")))
    fields = (detail.get("fieldName") for detail in records(body.get("details")))
    return joined((body.get("message"), *details, *fields), "; ")


def missing_permissions(answer: HttpResponse) -> list[str]:
    """The permissions that a 403 names, wherever in the body it does so."""
    body = record(error_body(answer))
    said = [body.get("message"), body.get("messageWithParams"), *record(body.get("messageParams")).values()]
    said += [value for detail in records(body.get("details")) for value in detail.values()]
    found = (name for text in map(clean, said) if text for name in _PERMISSION.findall(text))
    return list(dict.fromkeys(found))[:MOST_PERMISSIONS]
