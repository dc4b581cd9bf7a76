"""Logging of every process: structlog for our own lines, the standard library's lines through the same renderer.

`configure` is called once by each entry point. Whatever is logged under a name that sounds secret is masked.
"""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

SECRET_NAMES = re.compile(
    r"token|secret|passw|authori[sz]ation|signature|cookie|credential|dsn"
    r"|(^|[_\-. ])key(s)?$|api[_\-]?key",
    re.IGNORECASE,
)
MASK = "***"
# Names that end in `key` or hold `token` and are no secrets; a log without them could not be searched.
HARMLESS_NAMES = frozenset({"routing_key", "queue_key", "dedup_key", "idempotency_key"})
URL_PASSWORD = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)", re.IGNORECASE)
BEARER = re.compile(r"(?P<before>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
QUERY_SECRET = re.compile(
    r"(?P<before>[?&](?:access_token|refresh_token|input_token|X-Amz-Signature|X-Amz-Credential|hub\.verify_token|client_secret|code)=)[^&\s\"']+",
    re.IGNORECASE,
)


def configure(level: str = "INFO", fmt: str = "json") -> None:
    """Send every log line of this process to stderr, as JSON or for a console."""
    shared = _shared_processors()
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if fmt == "console"
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
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


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The structlog processor that masks secrets, by name and by shape."""
    return {name: _masked(name, value) for name, value in event.items()}


def _masked(name: str, value: Any) -> Any:
    if value and name not in HARMLESS_NAMES and SECRET_NAMES.search(name) and not isinstance(value, bool | dict):
        return MASK
    if isinstance(value, dict):
        return {key: _masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", inner) for inner in value]
    return _without_secrets(value) if isinstance(value, str) else value


def _without_secrets(text: str) -> str:
    """Passwords in URLs, bearer tokens and signed links also turn up inside exceptions' messages."""
    for pattern in (URL_PASSWORD, BEARER, QUERY_SECRET):
        text = pattern.sub(rf"\g<before>{MASK}", text)
    return text


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
