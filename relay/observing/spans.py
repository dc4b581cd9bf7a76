"""Spans on their way to an OpenTelemetry collector, by OTLP over HTTP. Loaded only where TRACING_URL is set.

OpenTelemetry's own processor keeps a thread and forgets in silence; here a greenlet sends small groups, since making
a request of spans takes the loop's time, and what does not fit any more is counted. A message never waits for it.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import gevent
import structlog
from gevent.event import Event
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode

from relay import even_clock
from relay.core.releases import VERSION
from relay.observing import counters

MOST_WAITING = 2_048
GROUP = 64
"""Spans in one request: to encode and send them takes the event loop for some three milliseconds."""
GATHER_SECONDS = 0.5
REQUEST_SECONDS = 10.0
PREFIX = "relay."
KINDS = {"webhook": SpanKind.SERVER, "request": SpanKind.SERVER, "queue": SpanKind.CONSUMER, "send": SpanKind.CLIENT}
BAD = frozenset({"failed", "dead", "refused", "unknown", "retry", "throttled", "credentials", "as_link"})

log = structlog.get_logger(__name__)


class WrittenRoot:
    """The span that a trace begins with, while it lasts."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
        """The traceparent of all that comes of it."""

    def about(self, **attributes: Any) -> None:
        self._span.set_attributes(_named(attributes))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """What is raised is not taken: it comes again, and begins a trace of its own."""
        self.about(outcome="accepted" if kind is None else "refused")
        if kind is not None:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end(_nanoseconds(even_clock.now()))


class Spans:
    """Of one process: `service` is its name, `share` (0 to 1) of webhooks are traced."""

    def __init__(self, url: str, share: float, service: str, authorities: str) -> None:
        self._share = share
        self._queue = SpanQueue(OTLPSpanExporter(f"{url}/v1/traces", authorities, timeout=REQUEST_SECONDS, headers={}))
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource({"service.name": service, "service.version": VERSION}),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._queue)
        self._tracer = provider.get_tracer("relay")

    def start(self) -> None:
        """In this process, from now on: never before a fork."""
        self._queue.start()

    def stop(self, seconds: float = 2.0) -> None:
        """What waits may still go, for so long."""
        self._queue.stop(seconds)

    def begin(self, name: str, at: float) -> WrittenRoot | None:
        if random.random() >= self._share:  # noqa: S311 - a share, no secret
            return None
        return WrittenRoot(self._tracer.start_span(name, Context(), _kind(name), start_time=_nanoseconds(at)))

    def tell(self, name: str, parent: str, began: float, ended: float, attributes: Mapping[str, Any]) -> None:
        span = self._tracer.start_span(
            name, _context(parent), _kind(name), _named(attributes), start_time=_nanoseconds(min(began, ended))
        )
        if attributes.get("outcome") in BAD:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_nanoseconds(ended))


class SpanQueue(SpanProcessor):
    """A bound of spans that wait, and one greenlet that sends them."""

    def __init__(self, exporter: OTLPSpanExporter) -> None:
        self._exporter = exporter
        self._waiting: deque[ReadableSpan] = deque()
        self._some = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._refused = False

    def start(self) -> None:
        # It writes a line for each attempt; a collector that is away is told once, below.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._greenlet = gevent.spawn(self._run)

    def stop(self, seconds: float) -> None:
        with gevent.Timeout(seconds, False):
            while self._waiting:
                self._send()
        if self._greenlet is not None:
            self._greenlet.kill()

    def on_end(self, span: ReadableSpan) -> None:
        if len(self._waiting) >= MOST_WAITING:
            counters.spans.labels("dropped").inc()
            return
        self._waiting.append(span)
        self._some.set()

    def _run(self) -> None:
        while True:
            self._some.wait()
            gevent.sleep(GATHER_SECONDS)
            self._some.clear()
            while self._waiting:
                self._send()
                gevent.sleep(0)

    def _send(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
        try:
            taken = self._exporter.export(group) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001 - whatever it is, the next group is tried
            log.debug("spans_not_sent", error=type(error).__name__)
            taken = False
        counters.spans.labels("sent" if taken else "refused").inc(len(group))
        if taken is self._refused:
            self._refused = not taken
            log.warning("spans_are_taken_again" if taken else "spans_are_not_taken", advice="see TRACING_URL")


def _kind(name: str) -> SpanKind:
    return KINDS.get(name, SpanKind.INTERNAL)


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {PREFIX + name: value for name, value in attributes.items() if value is not None}


def _nanoseconds(at: float) -> int:
    """As finely as rows keep times, so that a wait never begins before its webhook."""
    return round(at * 1_000_000) * 1_000


def _context(parent: str) -> Context:
    _, trace_id, span_id, _ = parent.split("-")
    context = trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=trace.TraceFlags(1))
    return trace.set_span_in_context(trace.NonRecordingSpan(context), Context())
