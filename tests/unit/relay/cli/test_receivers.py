"""`relay doctor` asks the receivers of traces and of error reports, and says which of them does not answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import certifi
from pydantic import SecretStr

from demo.stack.ports import HOST, free_port
from relay.cli import doctor
from tests.flow.receivers import receiving


def settings(url: str) -> Any:
    dsn = SecretStr(f"{url.replace('://', '://key@')}/42")
    return SimpleNamespace(tracing_url=url, sentry_dsn=dsn, authorities=certifi.where())


def test_receivers_that_answer_are_well() -> None:
    with receiving() as receiver:
        found = [look(settings(receiver.url)) for look in (doctor._traces, doctor._errors)]
        assert [(one.check, one.level) for one in found] == [("traces", "ok"), ("errors", "ok")]
        assert (receiver.spans, len(receiver.reports)) == ([], 1)


def test_receivers_that_are_away_are_a_warning_and_no_secret_is_told() -> None:
    away = settings(f"http://{HOST}:{free_port()}")
    found = [doctor._traces(away), doctor._errors(away)]
    assert [(one.check, one.level) for one in found] == [("traces", "warning"), ("errors", "warning")]
    assert "key" not in " ".join(one.text + one.advice for one in found)
