"""Spans on their way to a collector: a bound, what is counted, and nothing at all where nobody asked for traces."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from prometheus_client import REGISTRY

from demo.stack.ports import HOST, free_port
from relay import even_clock
from relay.broker.envelopes import TRACEPARENT, Delivery
from relay.broker.updates import packed
from relay.core.messages import Message, Person, Update, dump, dump_short
from relay.observing import spans, tracing
from relay.observing.spans import Spans
from tests.flow.receivers import Receiver, receiving
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[4]
UPDATE = Update("whatsapp", "t", "l", "a", 1.0, 0, {})
LOADED = """
import sys
import relay.daemon.bootstrap, web.bootstrap
print([name for name in ("relay.observing.spans", "opentelemetry.exporter", "sentry_sdk") if name in sys.modules])
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
    tracing.write_to(None)


def writing(url: str, share: float = 1.0) -> Spans:
    made = Spans(url, share, "relay-test", certifi.where())
    tracing.write_to(made)
    return made


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("relay_trace_spans_total", {"outcome": outcome}) or 0.0


def test_a_trace_goes_on_with_its_traceparent(receiver: Receiver) -> None:
    made = writing(receiver.url)
    made.start()
    with tracing.begin("webhook", even_clock.now()) as trace:
        assert trace is not None
        trace.about(provider="whatsapp", line_id=None)
        tracing.tell("send", trace.parent, even_clock.now(), outcome="sent")
    assert TRACEPARENT.fullmatch(trace.parent)
    wait_until(lambda: len(receiver.spans) == 2, PATIENCE, "both spans")
    send, webhook = sorted(receiver.spans, key=lambda one: one.name)
    assert (send.trace_id, send.parent_id) == (webhook.trace_id, webhook.span_id)
    assert webhook.of == {
        "service.name": "relay-test", "service.version": webhook.of["service.version"], "relay.provider": "whatsapp",
        "relay.outcome": "accepted",
    }  # fmt: skip
    made.stop()


def test_a_webhook_that_is_not_taken_says_so(receiver: Receiver) -> None:
    made = writing(receiver.url)
    with pytest.raises(KeyError), tracing.begin("webhook", even_clock.now()):
        raise KeyError("the broker is away")
    made.stop()
    assert [one.of["relay.outcome"] for one in receiver.spans] == ["refused"]


def test_what_waits_has_a_bound_and_what_does_not_fit_is_counted(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "MOST_WAITING", 3)
    made, before = writing(receiver.url), counted("dropped")
    for _ in range(5):
        with tracing.begin("webhook", even_clock.now()):
            pass
    assert counted("dropped") == before + 2
    made.stop()
    assert len(receiver.spans) == 3, "what waited has gone when it stops"


def test_a_collector_that_is_away_is_counted_and_stops_nobody() -> None:
    made, before = writing(f"http://{HOST}:{free_port()}"), counted("refused")
    with tracing.begin("webhook", even_clock.now()):
        pass
    made.stop(seconds=PATIENCE)
    assert counted("refused") == before + 1
    tracing.write_to(None)


def test_a_span_that_cannot_be_made_is_counted_and_stops_nobody(receiver: Receiver) -> None:
    made, before = writing(receiver.url), counted("dropped")
    tracing.tell("send", "no traceparent at all", even_clock.now(), outcome="sent")
    assert counted("dropped") == before + 1
    made.stop()


def test_of_a_share_of_nothing_nothing_is_traced(receiver: Receiver) -> None:
    writing(receiver.url, share=0.0)
    with tracing.begin("webhook", even_clock.now()) as trace:
        assert trace is None


def test_without_traces_nothing_is_loaded_and_nothing_is_written() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
    with tracing.begin("webhook", even_clock.now()) as trace:
        assert trace is None
    [sent] = packed([(UPDATE, dump(UPDATE))], 16)
    assert sent.headers is not None and "traceparent" not in sent.headers
    assert b"trace" not in dump_short(Message("s", Person("a"), 1.0))


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (None, None),
        (7, None),
        ("00-" + "a" * 32 + "-" + "b" * 16 + "-00", None),
        ("00-" + "a" * 32 + "-" + "b" * 16 + "-01", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
    ],
)
def test_a_header_that_is_no_traceparent_is_none(told: object, found: str | None) -> None:
    headers = {} if told is None else {"traceparent": told}
    assert Delivery("INBOUND", b"", 1, 0, headers, False, 1).trace == found
