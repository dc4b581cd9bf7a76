"""Passwords hashed and matched in a thread: argon2 takes its time on purpose, and webhooks do not wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import gevent
from flask import g, request
from gevent.lock import BoundedSemaphore

from db.access import passwords
from web.request.errors import ApiError
from web.request.networks import network_of

AT_ONCE = 2
"""Each takes 64 MiB and a core."""
WAIT_SECONDS = 10.0
_turns = BoundedSemaphore(AT_ONCE)
_own: dict[str, tuple[BoundedSemaphore, int]] = {}
"""Of everybody who asks just now: their own turn, and how many ask for it."""

Result = TypeVar("Result")


def hashed(password: str) -> str:
    return _aside(passwords.hashed, password)


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password. Raises ApiError 503 when too many others wait for theirs."""
    return _aside(passwords.matches, stored, password)


def weakness(password: str, own: list[str]) -> str | None:
    """What is wrong with a new password (db.access.passwords). Raises ApiError 503 as above."""
    return _aside(passwords.weakness, password, own)


def _aside(work: Callable[..., Result], *arguments: Any) -> Result:
    """Only arithmetic belongs in there: the connections of the pool are not for threads."""
    ends = time.monotonic() + WAIT_SECONDS
    with _own_turn(_owner(), ends), _turn(_turns, ends):
        result: Result = gevent.get_hub().threadpool.apply(work, arguments)
    return result


def _owner() -> str:
    """Whose work it is: a tenant's, an operator's, or before the log-in an address's."""
    if "principal" in g:
        return str(g.principal.tenant_id or g.principal.id)
    return network_of(request.remote_addr)


@contextmanager
def _own_turn(owner: str, ends: float) -> Iterator[None]:
    """One at a time of each: whoever asks for many keeps their own others waiting, and nobody else."""
    turn, asking = _own.get(owner, (BoundedSemaphore(1), 0))
    _own[owner] = turn, asking + 1
    try:
        with _turn(turn, ends):
            yield
    finally:
        asking = _own.pop(owner)[1] - 1
        if asking:
            _own[owner] = turn, asking


@contextmanager
def _turn(turns: BoundedSemaphore, ends: float) -> Iterator[None]:
    if not turns.acquire(timeout=max(ends - time.monotonic(), 0)):
        raise ApiError(503, "busy", "too many people log in at this moment; try again in a few seconds", retry_after=5)
    try:
        yield
    finally:
        turns.release()
