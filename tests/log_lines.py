"""What the product logs, for tests that look at it: every line as it is before anything in it is masked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from conf.logging import configure
from relay.core.redaction import redacted


def as_web_logs() -> None:
    """Configure the log as web does, but that no logger keeps its way: `captured` could not see its lines otherwise."""
    configure(redacted, "INFO", "json")
    structlog.configure(cache_logger_on_first_use=False)


@contextmanager
def captured() -> Iterator[list[Any]]:
    """The lines of this process meanwhile, with what they hold from their context."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        yield lines
