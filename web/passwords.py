"""Passwords hashed and matched in a thread: argon2 takes its time on purpose, and webhooks do not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from gevent.lock import BoundedSemaphore

from db import passwords
from web.errors import ApiError

AT_ONCE = 2
"""Each takes 64 MiB and a core."""
WAIT_SECONDS = 10.0
_turns = BoundedSemaphore(AT_ONCE)

Result = TypeVar("Result")


def hashed(password: str) -> str:
    return _aside(passwords.hashed, password)


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password. Raises ApiError 503 when too many others wait for theirs."""
    return _aside(passwords.matches, stored, password)


def weakness(password: str, own: list[str]) -> str | None:
    """What is wrong with a new password (db.passwords). Raises ApiError 503 as above."""
    return _aside(passwords.weakness, password, own)


def _aside(work: Callable[..., Result], *arguments: Any) -> Result:
    """Only arithmetic belongs in there: the connections of the pool are not for threads."""
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise ApiError(503, "busy", "too many people log in at this moment; try again in a few seconds", retry_after=5)
    try:
        result: Result = gevent.get_hub().threadpool.apply(work, arguments)
    finally:
        _turns.release()
    return result
