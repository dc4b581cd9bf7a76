"""Provider calls as metrics have them: how many, how they ended and why, and how long they took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from relay import metrics
from relay.core.errors import CannotCarry, SendError
from relay.runtime.side import Side


@contextmanager
def counted(side: Side, call: str) -> Iterator[None]:
    """Around one call; `call` is one of a few words. What it raises goes through."""
    began = time.monotonic()
    outcome, cause = "accepted", "none"
    try:
        yield
    except SendError as error:
        outcome, cause = error.fate, side.channel.cause(error.code)
        raise
    except CannotCarry as error:
        outcome, cause = "refused", side.channel.cause(error.code)
        raise
    except BaseException:
        outcome, cause = "unknown", "general"
        raise
    finally:
        metrics.calls.labels(side.name, call, outcome, cause).inc()
        metrics.call_seconds.labels(side.name, outcome).observe(time.monotonic() - began)
