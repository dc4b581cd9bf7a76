"""Logging of every process: structlog for our own lines, the standard library's lines through the same renderer.

`configure` is called once by each entry point, and handed the product's one redactor: this package imports none of it.
"""

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

GUNICORNS = ("gunicorn.error", "gunicorn.access")
Redactor = Callable[[Any, str], Any]
"""Takes a value and the name it is logged under; gives what may be seen of it."""


def configure(redactor: Redactor, level: str = "INFO", fmt: str = "json") -> None:
    """Send every log line of this process to stderr, as JSON or for a console, each value by way of the redactor.

    What could not be written as a line is told without what it would have said. Gunicorn's workers count, too: their
    own handler would write what a stranger's request line holds as it came.
    """
    shared = _shared_processors()
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if fmt == "console"
        else structlog.processors.JSONRenderer()
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _through(redactor),
                *([_on_one_line] if fmt == "console" else []),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in GUNICORNS:
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class _Handler(logging.StreamHandler[Any]):
    """The standard library's prints a record that it could not format as it is, with all that no redactor has seen."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        kind = getattr(sys.exc_info()[0], "__name__", "")
        told = {"event": "log_line_lost", "level": "error", "logger": record.name, "error": kind,
                "place": f"{record.module}:{record.lineno}"}  # fmt: skip
        with suppress(OSError, ValueError):  # nobody reads stderr any more
            self.stream.write(json.dumps(told) + self.terminator)
            self.flush()


def _on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For a console, where a text with line ends or escapes could pass for other lines. A traceback keeps its lines."""
    return {
        name: "\n    ".join(map(_plain, value.split("\n"))) if name in ("exception", "stack") else _plain(value)
        for name, value in event.items()
    }


def _plain(value: Any) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)


def _through(redactor: Redactor) -> Processor:
    def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: redactor(value, name) for name, value in event.items()}

    return redact


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
