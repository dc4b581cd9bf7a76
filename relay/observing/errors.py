"""Reports of unexpected errors, by Sentry's protocol. Loaded only where SENTRY_DSN is set.

What is reported is built here from nothing: kinds of exceptions and places in the code. No exception's own words, no
values of variables, no request: any of these may hold what a customer wrote. The library sends, and nothing else: none
of its integrations is switched on, so that it patches and listens to nothing.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import sentry_sdk
from sentry_sdk.transport import HttpTransport

from relay.core.releases import VERSION
from relay.observing import counters

OURS = ("conf", "db", "relay", "web")
MOST_IN_A_MINUTE = 20
AGAIN_SECONDS = 60.0
"""The same kind at the same place is not reported again before."""
MOST_REMEMBERED = 200
MOST_WAITING = 20
MOST_CHAINED = 5
MOST_FRAMES = 50
TAGS = ("logger", "event", "actor", "command")
"""Of a log line: our own words about where it happened."""
OWN_WORD = re.compile(r"[A-Za-z_][A-Za-z_. ]{0,79}")
LAST_SECONDS = 2.0


class CountedTransport(HttpTransport):
    """It keeps a queue with a bound, and a greenlet (a patched thread) that sends."""

    def on_dropped_event(self, reason: str) -> None:
        counters.error_reports.labels("refused").inc()


class ErrorReports:
    """Of one process; made after a fork. `service`: what the process is called."""

    def __init__(self, dsn: str, service: str, authorities: str) -> None:
        self._service = service
        self._seen: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._minute, self._count = 0.0, 0
        logging.getLogger("sentry_sdk").setLevel(logging.CRITICAL)  # an error of its own would be reported by it
        self._client = sentry_sdk.Client(
            dsn=dsn, release=f"wa-genesys-relay@{VERSION}", server_name="", ca_certs=authorities,
            transport=CountedTransport, transport_queue_size=MOST_WAITING, before_send=None,
            default_integrations=False, auto_enabling_integrations=False, auto_session_tracking=False,
            include_local_variables=False, include_source_context=False, attach_stacktrace=False, max_breadcrumbs=0,
            send_default_pii=False, send_client_reports=False, max_request_body_size="never", spotlight=False,
            enable_backpressure_handling=False,
            _experiments={"transport_compression_algo": "gzip"},  # type: ignore[typeddict-item]  # its own code takes it
        )  # fmt: skip

    def report(self, error: BaseException, line: Mapping[str, Any]) -> str | None:
        """Tell of it, and of its log line what is ours. Answers with the report's id; None: it was not told."""
        chain = list(_chain(error))
        if not self._may_tell((*_place(error), *_place(chain[-1]))):
            counters.error_reports.labels("dropped").inc()
            return None
        told = {name: str(line[name]) for name in TAGS if OWN_WORD.fullmatch(str(line.get(name, "")))}
        if not told.get("logger", "").startswith(OURS):
            told = {}  # another library's line: its words may be anybody's
        event: Any = {
            "level": "error",
            "platform": "python",
            "logger": told.get("logger"),
            "tags": {"service": self._service} | {name: told[name] for name in TAGS[1:] if name in told},
            "exception": {"values": [_exception(one) for one in reversed(chain)]},
        }
        counters.error_reports.labels("sent").inc()
        return self._client.capture_event(event)

    def stop(self) -> None:
        """What waits may still go, for two seconds."""
        self._client.close(timeout=LAST_SECONDS)

    def _may_tell(self, place: tuple[str, ...]) -> bool:
        now = time.monotonic()
        if now - self._minute >= 60.0:
            self._minute, self._count = now, 0
        if self._count >= MOST_IN_A_MINUTE or now - self._seen.get(place, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return False
        self._count += 1
        self._seen[place] = now
        self._seen.move_to_end(place)
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return True


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of."""
    found: BaseException | None = error
    for _ in range(MOST_CHAINED):
        if found is None:
            return
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _exception(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    return {
        "type": kind.__qualname__,
        "module": kind.__module__,
        "stacktrace": {"frames": [_frame(*one) for one in _frames(error.__traceback__)][-MOST_FRAMES:]},
    }


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, str, int]]:
    while traceback is not None:
        frame = traceback.tb_frame
        yield str(frame.f_globals.get("__name__")), frame.f_code.co_name, traceback.tb_lineno
        traceback = traceback.tb_next


def _frame(module: str, function: str, line: int) -> dict[str, Any]:
    ours = module.partition(".")[0] in OURS
    return {"module": module, "filename": f"{module.replace('.', '/')}.py", "function": function, "lineno": line,
            "in_app": ours}  # fmt: skip


def _place(error: BaseException) -> tuple[str, ...]:
    last = list(_frames(error.__traceback__))[-1:]
    return (type(error).__qualname__, *(f"{module}:{line}" for module, _, line in last))
