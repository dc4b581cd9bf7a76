"""Reports of unexpected errors: what stands in them is ours, and there are few of the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import certifi
import pytest
import structlog
from prometheus_client import REGISTRY

from conf import logging as our_logging
from relay.observing import errors
from relay.observing.errors import ErrorReports
from tests.flow.receivers import Receiver, receiving

NUMBER, WORDS = "4915201234567", "the key is under the mat"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def reports(receiver: Receiver) -> Iterator[ErrorReports]:
    made = ErrorReports(f"{receiver.url.replace('://', '://key@')}/1", "relay-test", certifi.where())
    yield made
    made.stop()


def fails(kind: type[Exception] = ValueError, number: str = NUMBER) -> Exception:
    """With the person's number in a variable, and the words in what it says."""
    try:
        try:
            raise KeyError(number)
        except KeyError as error:
            raise kind(f"{number} wrote {WORDS}") from error
    except kind as error:
        return error


def came(receiver: Receiver, reports: ErrorReports) -> list[dict[str, Any]]:
    reports.stop()
    return [json.loads(body.split(b"\n")[2]) for body in receiver.reports]


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("relay_error_reports_total", {"outcome": outcome}) or 0.0


def test_a_report_says_what_failed_where_and_nobodys_words(receiver: Receiver, reports: ErrorReports) -> None:
    line = {
        "logger": "relay.runtime.actor",
        "event": "actor_failed",
        "actor": "SenderActor",
        "text": WORDS,
        "to": NUMBER,
    }
    assert reports.report(fails(), line)
    [told] = came(receiver, reports)
    assert told["tags"] == {"service": "relay-test", "event": "actor_failed", "actor": "SenderActor"}
    assert [one["type"] for one in told["exception"]["values"]] == ["KeyError", "ValueError"]
    [frame] = told["exception"]["values"][1]["stacktrace"]["frames"]
    assert (frame["function"], frame.keys()) == ("fails", {"module", "filename", "function", "lineno", "in_app"})
    assert receiver.holds(NUMBER, WORDS, "mat") == []


def test_another_librarys_line_is_not_passed_on(receiver: Receiver, reports: ErrorReports) -> None:
    reports.report(fails(), {"logger": "gunicorn.error", "event": "my flat is not far", "actor": WORDS})
    [told] = came(receiver, reports)
    assert told["tags"] == {"service": "relay-test"}
    assert receiver.holds("flat", "mat") == []


def test_the_same_is_told_once_a_minute_and_few_altogether(
    reports: ErrorReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "MOST_IN_A_MINUTE", 2)
    before = counted("dropped")
    kinds = [ValueError, ValueError, TypeError, OSError]
    told = [reports.report(fails(kind), {"event": "it_fails"}) is not None for kind in kinds]
    assert told == [True, False, True, False]
    assert counted("dropped") == before + 2


def test_a_receiver_that_is_away_is_counted(reports: ErrorReports, monkeypatch: pytest.MonkeyPatch) -> None:
    before = counted("refused")
    monkeypatch.setattr(reports._client.transport, "_request", refuse)
    reports.report(fails(), {"event": "it_fails"})
    reports.stop()
    assert counted("refused") == before + 1


def refuse(*_: Any, **__: Any) -> None:
    raise OSError("nobody listens there")


def test_a_log_line_names_its_report_and_never_fails_by_it(capfd: pytest.CaptureFixture[str]) -> None:
    error = fails()
    line: dict[str, Any] = {"event": "it_fails", "exc_info": error}

    def broken(*_: Any) -> str:
        raise RuntimeError("the reporter itself fails")

    try:
        our_logging.report_to(lambda found, _: "id-1" if found is error else None)
        assert our_logging._reported(structlog.get_logger(), "error", dict(line))["report"] == "id-1"
        assert "report" not in our_logging._reported(structlog.get_logger(), "warning", dict(line))
        our_logging.report_to(broken)
        assert our_logging._reported(structlog.get_logger(), "error", dict(line))["report_failed"] == "RuntimeError"
    finally:
        our_logging.report_to(None)
