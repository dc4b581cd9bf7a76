"""What enters as a webhook: taken before Flask sees it, or refused by Flask in the form of every other error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests import log_lines
from tests.integration import webhook_world as world_of
from tests.integration.webhook_world import World, agent_text, change, envelope, json_of, meta_signature, text


@pytest.fixture(scope="module")
def world(settings_env: dict[str, str]) -> Iterator[World]:
    log_lines.as_web_logs()
    built = world_of.build(settings_env)
    yield built
    world_of.close(built)


@pytest.fixture
def pages_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask answers nothing at all."""

    def away(*_: Any) -> None:
        raise AssertionError("Flask was asked")

    monkeypatch.setattr(world.app, "full_dispatch_request", away)
    monkeypatch.setattr(world.app, "open_session", away, raising=False)


@pytest.mark.usefixtures("pages_away")
def test_what_is_taken_goes_past_flask_by_each_kind_of_address(world: World) -> None:
    line, own = world.line(), world.line(own_app=True)
    body = envelope(change(line.phone_number_id, text("x")))
    for path in ("/webhook/meta", f"/webhook/meta/{line.tenant_key}"):
        assert world.meta(body, path=path).status_code == 200
    assert world.meta(body, own.app_secret, f"/webhook/meta/{own.tenant_key}").status_code == 200
    for path in ("/webhook/genesys", f"/webhook/genesys/{line.line_key}"):
        answer = world.genesys(agent_text(line.integration_id, "x"), line.webhook_secret, path)
        assert (answer.status_code, answer.data) == (200, b"")


def test_an_answer_has_the_headers_of_every_answer_and_no_cookie(world: World) -> None:
    line = world.line()
    raw = json.dumps(envelope(change(line.phone_number_id, text("x")))).encode()
    headers = meta_signature(raw, line.app_secret) | {"X-Request-ID": "the-providers-own"}
    taken = world.client.post("/webhook/meta", data=raw, headers=headers)
    page = world.client.get("/health/live")
    assert taken.status_code == 200
    assert taken.headers["X-Request-ID"] == "the-providers-own"
    everywhere = world.app.config["SECURITY_HEADERS"]
    assert everywhere
    assert {name: taken.headers[name] for name in everywhere} == {name: page.headers[name] for name in everywhere}
    assert "Set-Cookie" not in taken.headers


def test_a_webhook_has_the_log_line_and_the_counts_of_every_request(world: World) -> None:
    line = world.line()
    before = _counts()
    with log_lines.captured() as lines:
        path = f"/webhook/meta/{line.tenant_key}"
        answer = world.meta(envelope(change(line.phone_number_id, text("x"))), path=path)
        refused = world.meta(envelope(change(line.phone_number_id, text("x"))), "wrong", path)
    told = [one for one in lines if one["event"] == "request"]
    shape = ("method", "rule", "status", "principal")
    assert [tuple(one[name] for name in shape) for one in told] == [
        ("POST", "/webhook/meta/<key>", 200, None),
        ("POST", "/webhook/meta/<key>", 401, None),
    ]
    assert line.tenant_key not in str(lines)
    assert [one["request_id"] for one in told] == [one.headers["X-Request-ID"] for one in (answer, refused)]
    # What is told on the way to an answer bears the id of that answer.
    assert {one["request_id"] for one in lines if one["event"] == "webhook_not_proved"} == {told[1]["request_id"]}
    assert [after - before for before, after in zip(before, _counts(), strict=True)] == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/webhook/meta/no-such-key", 404, "not_found"),
        ("/webhook/meta/k%C3%A4se%FF%00", 404, "not_found"),
        ("/webhook/genesys/no-such-key", 404, "not_found"),
        ("/webhook/meta/", 404, "not_found"),
        ("/webhook/meta/one/two", 404, "not_found"),
        ("/webhook/", 404, "not_found"),
        ("//webhook/meta", 404, "not_found"),
        ("/webhook/meta", 401, "signature_invalid"),
    ],
)
def test_what_is_refused_has_the_one_shape_of_errors(world: World, path: str, status: int, code: str) -> None:
    answer = world.meta(envelope(change("1", text("x"))), "wrong", path)
    assert answer.status_code == status
    error = json_of(answer)["error"]
    assert (error["code"], error["request_id"]) == (code, answer.headers["X-Request-ID"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_fails_inside_is_told_with_its_place_and_hidden_from_who_called(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = world.line()

    def broken(*_: Any) -> None:
        raise RuntimeError("hidden-word")

    monkeypatch.setattr("web.webhooks.reception.authorise", broken)
    with log_lines.captured() as lines:
        answer = world.meta(envelope(change(line.phone_number_id, text("x"))))
    assert (answer.status_code, json_of(answer)["error"]["code"]) == (500, "internal_error")
    assert "hidden-word" not in answer.text
    told = next(one for one in lines if one["event"] == "unexpected error")
    assert isinstance(told["exc_info"], RuntimeError)
    places = []
    trace = told["exc_info"].__traceback__
    while trace is not None:
        places.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert places[-1] == "broken"


def test_only_posts_are_webhooks(world: World) -> None:
    allowed = {name.strip() for name in world.client.put("/webhook/meta").headers["Allow"].split(",")}
    assert allowed == {"GET", "HEAD", "OPTIONS", "POST"}


def _counts() -> list[float]:
    """Of webhooks that were accepted and refused, their updates, requests answered 200, and times measured."""
    asked: list[tuple[str, dict[str, str]]] = [
        ("web_webhooks_total", {"channel": "whatsapp", "answer": "accepted"}),
        ("web_webhooks_total", {"channel": "whatsapp", "answer": "refused"}),
        ("web_webhook_updates_total", {"channel": "whatsapp", "what": "accepted"}),
        ("web_requests_total", {"method": "POST", "status": "200"}),
        ("web_webhook_seconds_count", {"channel": "whatsapp"}),
    ]
    return [REGISTRY.get_sample_value(name, labels) or 0.0 for name, labels in asked]
