"""Meta's errors as data: what each code means for the message and for its line.

Source: Meta's error-codes page of November 2025: decide by code and details, never by HTTP
status, title or subcode (except 100/33, which has no other mark).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from relay.channels.http import Answer, redact
from relay.channels.reading import record
from relay.channels.text import clean
from relay.core.errors import Fate, SendError

_CODES: dict[Fate, tuple[int, ...]] = {
    "retry": (1, 2, 131000, 131016, 131057, 133004, 133015),
    "throttled": (4, 17, 32, 613, 80007, 130429, 131048, 131056, 131064, 133016),
    "credentials": (
        *(0, 3, 10, 33, 190, 368),
        *range(200, 300),
        *(131005, 131031, 131037, 131042, 131044, 131045),
        *(133000, 133005, 133006, 133008, 133009, 133010, 134011),
    ),
}
FATES: dict[int, Fate] = {code: fate for fate, codes in _CODES.items() for code in codes}
PER_CONTACT = (131056,)


def meta_error(answer: Answer) -> dict[str, Any] | None:
    """Meta's own error body, None where the answer has none."""
    error = record(answer.data).get("error")
    return error if isinstance(error, dict) and isinstance(error.get("code"), int) else None


def is_foreign(error: dict[str, Any]) -> bool:
    """True when the token cannot see the object: deleted, or somebody else's."""
    return error["code"] == 33 or (error["code"] == 100 and str(error.get("error_subcode")) == "33")


def failure(answer: Answer, secrets: Iterable[str] = ()) -> SendError:
    """The SendError for an answer that is not a success."""
    error = meta_error(answer)
    if error is None:
        return _edge_failure(answer)
    code = error["code"]
    scope: Literal["line", "contact"] = "contact" if code in PER_CONTACT else "line"
    return SendError(
        _fate(error, answer.status),
        str(code),
        redact(_text(error), secrets),
        retry_after=answer.retry_after,
        scope=scope,
        status=answer.status,
        trace_id=clean(error.get("fbtrace_id")),
    )


def _fate(error: dict[str, Any], status: int) -> Fate:
    if is_foreign(error):
        return "credentials"
    known = FATES.get(error["code"])
    if known:
        return known
    return "retry" if error.get("is_transient") is True or status >= 500 else "refused"


def _text(error: dict[str, Any]) -> str:
    details = clean(record(error.get("error_data")).get("details"))
    message = clean(error.get("message")) or clean(error.get("title")) or "no text"
    return f"{message}: {details}" if details and details not in message else message


def _edge_failure(answer: Answer) -> SendError:
    """An answer without Meta's error body comes from something in between, or is no answer at all."""
    status = answer.status
    text = f"HTTP {status} without WhatsApp's own answer"
    fate: Fate = "retry"
    if status < 300 or status == 408 or status >= 500:
        fate = "unknown"
    elif status == 429:
        fate = "throttled"
    elif status in (400, 405, 413, 414, 415, 422):
        fate = "refused"
    return SendError(fate, f"http_{status}", text, retry_after=answer.retry_after, status=status)
