"""What anybody may ask without a key costs next to nothing, however often they ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from flask import Flask
from prometheus_client import REGISTRY

from web import health
from web.api.description import docs
from web.request.throttle import Recent

ASKED = 40


@pytest.mark.parametrize(("path", "work"), [("/metrics", "generate_latest"), ("/health/ready", "_checked")])
def test_asking_often_is_not_worked_out_often(
    app: Flask, path: str, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = _counted(health, work, monkeypatch)
    began = time.monotonic()
    asking = [gevent.spawn(lambda: app.test_client().get(path).status_code) for _ in range(ASKED)]
    gevent.joinall(asking, raise_error=True)
    assert len({one.value for one in asking}) == 1
    assert len(done) <= 1 + (time.monotonic() - began)


def test_the_description_of_the_api_is_made_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    done = _counted(docs, "described", monkeypatch)
    answers = {app.test_client().get("/openapi.json").get_data() for _ in range(ASKED)}
    assert len(answers) == 1
    assert len(done) <= 1


def test_made_up_methods_do_not_stay_in_memory(app: Flask) -> None:
    client = app.test_client()
    client.open("/health/live", method="MADEUP")
    before = _series()
    for n in range(ASKED):
        client.open("/health/live", method=f"MADEUP{n}")
    assert _series() == before


def test_what_could_not_be_worked_out_is_tried_again() -> None:
    outcomes = iter([ValueError("not now"), None])

    def make() -> str:
        outcome = next(outcomes)
        if outcome:
            raise outcome
        return "made"

    recent = Recent(make, seconds=600)
    with pytest.raises(ValueError, match="not now"):
        recent.get()
    assert [recent.get(), recent.get()] == ["made", "made"]


def _counted(module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    done: list[None] = []
    real: Callable[..., Any] = getattr(module, name)

    def counting(*given: Any) -> Any:
        done.append(None)
        return real(*given)

    monkeypatch.setattr(module, name, counting)
    return done


def _series() -> int:
    return sum(len(family.samples) for family in REGISTRY.collect())
