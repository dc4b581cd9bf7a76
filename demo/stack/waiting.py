"""Waiting for something to become true: by asking again until a deadline, never by guessing a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds. Nothing that works takes as long, however busy the machine; who succeeds waits no longer than it takes."""


class DeadlinePassed(AssertionError):
    """What was waited for did not happen in time; in a test this is a plain failure."""


def wait_until(predicate: Callable[[], T], deadline: float = PATIENCE, message: str = "", interval: float = 0.05) -> T:
    """The first true value of `predicate`; after `deadline` seconds without one, DeadlinePassed."""
    end = time.monotonic() + deadline
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= end:
            raise DeadlinePassed(f"after {deadline:g} s still waiting for {message or predicate}")
        time.sleep(interval)
