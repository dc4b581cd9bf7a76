"""How often somebody may ask: per key, per person, per address. Shared by all workers through Redis.

While Redis is away each worker counts by itself. Webhooks, health and metrics are never limited.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask import Flask, Response, current_app, request

from web.context import parts
from web.errors import ApiError
from web.principal import principal


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_minute` may be used up at once, and comes back by the second."""

    name: str
    per_minute: int


API = Limit("api", 600)
PORTAL = Limit("portal", 1200)
"""Pages that keep themselves fresh ask often."""
STRANGERS = Limit("stranger", 60)
"""Requests of one address without a valid key."""
WAITS = Limit("waits", 60)
"""Sends of one key that wait for their outcome; further ones are answered at once."""
LOGIN_ADDRESS = Limit("login-address", 10)
LOGIN_ACCOUNT = Limit("login-account", 5)
"""Log-ins that failed; a right password costs nothing."""


def register(app: Flask) -> None:
    """The portal's limits; the API asks for its own once it knows who it is."""
    app.config.setdefault("RATE_LIMITED", True)
    app.before_request(_may_log_in)
    app.after_request(_count_failure)
    app.before_request_funcs.setdefault("portal", []).append(_portal)


def api() -> None:
    """One more request of the asking key. Raises ApiError 429."""
    _spend(API, principal().id)


def stranger() -> None:
    """One more request without a valid key. Raises ApiError 429."""
    _spend(STRANGERS, _address())


def may_wait() -> bool:
    """Whether one more send of the asking principal may wait for its outcome."""
    return _taken(WAITS, principal().id) is None


def _portal() -> None:
    if request.endpoint != "portal.login":
        _spend(PORTAL, principal().id)


def _is_log_in() -> bool:
    return request.endpoint == "portal.login" and request.method == "POST" and bool(current_app.config["RATE_LIMITED"])


def _may_log_in() -> None:
    if not _is_log_in():
        return
    for limit, who in _logging_in():
        wait = parts().bucket.wait(_key(limit, who), limit.per_minute / 60, limit.per_minute)
        if wait > 0:
            raise _too_many(wait, "too many wrong passwords; wait a minute and try again")


def _count_failure(response: Response) -> Response:
    if response.status_code == 401 and _is_log_in():
        for limit, who in _logging_in():
            _taken(limit, who)
    return response


def _logging_in() -> list[tuple[Limit, str]]:
    email = request.form.get("email", "").strip().lower()
    # Redis' keys are no place for people's addresses.
    account = hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()[:32]
    return [(LOGIN_ADDRESS, _address()), (LOGIN_ACCOUNT, account)]


def _spend(limit: Limit, who: str) -> None:
    wait = _taken(limit, who)
    if wait is not None:
        raise _too_many(wait, f"more than {limit.per_minute} requests a minute; wait as long as Retry-After says")


def _taken(limit: Limit, who: str) -> float | None:
    """None: granted. Else after how many seconds it is worth asking again."""
    if not current_app.config["RATE_LIMITED"]:
        return None
    granted = parts().bucket.take(_key(limit, who), limit.per_minute / 60, limit.per_minute)
    return None if granted.count else granted.wait_seconds


def _too_many(seconds: float, text: str) -> ApiError:
    return ApiError(429, "too_many_requests", text, retry_after=max(seconds, 1.0))


def _key(limit: Limit, who: str) -> str:
    return f"web-{limit.name}:{who}"


def _address() -> str:
    return request.remote_addr or "unknown"
