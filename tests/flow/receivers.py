"""What traces and error reports go to, for tests: a server that keeps what it is sent, as it came and read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gevent.pywsgi import WSGIServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.stack.ports import HOST


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """One span, with its attributes and those of its process; times are Unix seconds."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    began: float
    ended: float
    of: dict[str, Any]


@dataclass
class Receiver:
    """Takes OTLP at /v1/traces, and Sentry's envelopes anywhere else."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    """All of them, unpacked."""
    reports: list[bytes] = field(default_factory=list)
    spans: list[SeenSpan] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        if environ.get("HTTP_CONTENT_ENCODING") == "gzip":
            body = gzip.decompress(body)
        self.bodies.append(body)
        if environ["PATH_INFO"] == "/v1/traces":
            self.spans += _spans(body)
        else:
            self.reports.append(body)
        start_response("200 OK", [("Content-Type", "application/x-protobuf")])
        return [b""]

    def of_message(self, message_id: str) -> list[SeenSpan]:
        """All spans of the traces in which the message is named, by the time they began."""
        traces = {one.trace_id for one in self.spans if one.of.get("relay.message_id") == message_id}
        return sorted((one for one in self.spans if one.trace_id in traces), key=lambda one: one.began)

    def holds(self, *words: str) -> list[str]:
        """Those of the words that stand in anything that came."""
        return [word for word in words if any(word.encode() in body for body in self.bodies)]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    server = WSGIServer((HOST, 0), receiver, log=None)
    server.start()
    receiver.url = f"http://{HOST}:{server.server_port}"
    try:
        yield receiver
    finally:
        server.stop()


def _spans(body: bytes) -> Iterator[SeenSpan]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    for process in request.resource_spans:
        about = {one.key: _value(one.value) for one in process.resource.attributes}
        for span in (span for scope in process.scope_spans for span in scope.spans):
            of = about | {one.key: _value(one.value) for one in span.attributes}
            began, ended = span.start_time_unix_nano / 1e9, span.end_time_unix_nano / 1e9
            ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
            yield SeenSpan(span.name, *ids, began, ended, of)


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))
