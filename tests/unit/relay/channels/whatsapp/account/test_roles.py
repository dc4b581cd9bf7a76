"""Our roles on a number: whatever Meta answers, a deaf line is told and nothing is made up."""

import json
from typing import Any

import pytest

from relay.channels.http.client import HttpResponse
from relay.channels.whatsapp.account.roles import findings


def answer(data: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(data).encode())


@pytest.mark.parametrize(
    "data",
    [
        {"roles": [], "is_standby": False},
        {"roles": []},
        {"roles": [], "is_standby": None},
        {"data": [{"roles": [], "is_standby": False}]},
    ],
)
def test_neither_a_role_nor_standby_is_deaf(data: Any) -> None:
    [found] = findings(answer(data))
    assert (found.check, found.level) == ("roles", "warning")
    assert "this line is deaf" in found.text
    assert "Meta Business Suite" in found.advice


def test_standby_alone_is_told() -> None:
    [found] = findings(answer({"roles": [], "is_standby": True}))
    assert (found.level, "copies only" in found.text) == ("warning", True)


def test_roles_are_told_in_words_and_one_that_is_new_by_its_name() -> None:
    [found] = findings(answer({"roles": ["customer_service", "concierge"], "is_standby": True}))
    assert found.level == "ok"
    assert "customer service, concierge; conversations of others are seen too" in found.text


@pytest.mark.parametrize(
    "given",
    [
        None,
        answer({"error": {"code": 2500}}, 400),
        answer({"error": {"code": 100}}, 400),
        answer({}, 200),
        answer(None, 200),
        answer([], 200),
        answer({"roles": None}),
        answer({"roles": "customer_service"}),
        answer({"data": []}),
        answer({"data": ["customer_service"]}),
    ],
)
def test_an_answer_that_cannot_be_read_tells_nothing(given: HttpResponse | None) -> None:
    assert findings(given) == []
