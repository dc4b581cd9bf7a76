"""Logging of every process: structlog for our own lines, and the standard library's lines in the same form.

`configure` is called once by each entry point, and handed the product's one redactor: this package imports none of it.
Our own lines do not pass through the standard library, which takes several times as long: web writes one per request.
"""

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import structlog
from structlog.processors import CallsiteParameter, CallsiteParameterAdder
from structlog.types import EventDict, Processor, WrappedLogger

GUNICORNS = ("gunicorn.error", "gunicorn.access")
AS_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS
"""A dataclass says by its repr what may be seen of it."""
PLACE = CallsiteParameterAdder(
    {CallsiteParameter.MODULE, CallsiteParameter.LINENO}, additional_ignores=["conf.logging"]
)
ERRORS = ("error", "exception", "critical")
Redactor = Callable[[Any, str], Any]
"""Takes a value and the name it is logged under; gives what may be seen of it."""


Reporter = Callable[[BaseException, EventDict], str | None]
"""Told of an unexpected error with its log line; answers with the id under which it was passed on."""

_reporter: Reporter | None = None


def report_to(reporter: Reporter | None) -> None:
    """Have every error that is logged with its traceback told there, too; None: nowhere."""
    global _reporter
    _reporter = reporter


def configure(redactor: Redactor, level: str = "INFO", fmt: str = "json") -> None:
    """Send every log line of this process to stderr, as JSON or for a console, each value by way of the redactor.

    What could not be written as a line is told without what it would have said. Gunicorn's workers count, too: their
    own handler would write what a stranger's request line holds as it came.
    """
    rendering = [_through(redactor), *(_for_a_console() if fmt == "console" else [_json_by(redactor)])]
    structlog.configure(
        processors=[*_shared_processors(), _line_of(rendering)],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared_processors(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in GUNICORNS:
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True


class _Handler(logging.StreamHandler[Any]):
    """The standard library's prints a record that it could not format as it is, with all that no redactor has seen."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        with suppress(OSError, ValueError):  # nobody reads stderr any more
            self.stream.write(_lost(record.name, f"{record.module}:{record.lineno}") + self.terminator)
            self.flush()


def _lost(logger: str | None, place: str) -> str:
    kind = getattr(sys.exc_info()[0], "__name__", "")
    told = {"event": "log_line_lost", "level": "error", "logger": logger, "error": kind, "place": place}
    return json.dumps(told)


def _line_of(rendering: list[Processor]) -> Callable[[WrappedLogger, str, EventDict], bytes]:
    """The last step of our own lines: whoever logs never fails by it."""

    def line(logger: WrappedLogger, method: str, event: EventDict) -> bytes:
        name, rendered = event.get("logger"), event
        try:
            for step in rendering:
                rendered = step(logger, method, rendered)  # type: ignore[assignment]
        except Exception:  # noqa: BLE001 - whatever a value does when it is asked for its words
            at = PLACE(logger, method, {})
            return _lost(name, f"{at['module']}:{at['lineno']}").encode()
        return str(rendered).encode("utf-8", "backslashreplace")

    return line


def _json_by(redactor: Redactor) -> Processor:
    """JSON in ASCII: a sign that ends a line for somebody must not end ours. Most lines are, and orjson is fast."""

    def in_words(value: Any) -> Any:
        return redactor(repr(value), "")

    def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
        try:
            line = orjson.dumps(event, in_words, AS_JSON).decode()
        except TypeError:  # an integer of more than 64 bits, or half a surrogate
            return json.dumps(event, default=in_words)
        return line if line.isascii() else json.dumps(event, default=in_words)

    return render


def _for_a_console() -> list[Processor]:
    return [_on_one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


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


def _reported(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Whoever logs never fails by it, nor by what a report of an error meets."""
    given = event.get("exc_info")
    if _reporter is None or not given or method not in ERRORS:
        return event
    error = given if isinstance(given, BaseException) else (sys.exc_info() if given is True else given)[1]
    try:
        told = _reporter(error, event) if error is not None else None
    except Exception as trouble:  # noqa: BLE001
        event["report_failed"] = type(trouble).__name__
    else:
        if told is not None:
            event["report"] = told
    return event


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _reported,
        structlog.processors.format_exc_info,
    ]
