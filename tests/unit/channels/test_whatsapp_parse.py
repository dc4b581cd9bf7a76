"""Every kind of message and status Meta is known to send, and what becomes of it."""

import time
from typing import Any

import pytest

from relay.channels.whatsapp.parse import parse
from relay.core.errors import ParseError
from relay.core.messages import Ignored, Message
from tests.unit.channels.recorded import recorded, shown

MESSAGES = recorded("whatsapp", "messages")
STATUSES = recorded("whatsapp", "statuses")


def by_name(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"].replace(" ", "-")) for case in cases]


@pytest.mark.parametrize("case", by_name(MESSAGES))
def test_messages(case: dict[str, Any]) -> None:
    (event,) = parse({"kind": "message", "message": case["message"], "contact": case["contact"]})
    assert shown(event, case["expect"]) == case["expect"]


@pytest.mark.parametrize("case", by_name(STATUSES))
def test_statuses(case: dict[str, Any]) -> None:
    events = parse({"kind": "status", "status": case["status"], "contact": None})
    if case["expect"] is None:
        assert events == []
    else:
        assert shown(events[0], case["expect"]) == case["expect"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({}, "not an item"),
        ({"kind": "message"}, "no id"),
        ({"kind": "message", "message": {"id": 7}}, "neither from"),
        ({"kind": "message", "message": {"id": "wamid.x", "from": {"no": "text"}}}, "neither from"),
    ],
)
def test_unreadable(payload: dict[str, Any], reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        parse(payload)


@pytest.mark.parametrize("timestamp", [None, "", "soon", -5, "nan", "inf", [], "1e400"])
def test_time_that_cannot_be_read_becomes_now(timestamp: Any) -> None:
    """So that the arrival decides the order, and no message sorts before all others."""
    (event,) = parse({"kind": "message", "message": {"id": "w", "from": "49", "timestamp": timestamp}})
    assert isinstance(event, Message)
    assert abs(event.provider_time - time.time()) < 60


def test_what_nobody_wrote_is_kept_with_a_stable_id() -> None:
    payload = {"kind": "other", "field": "account_update", "value": {"event": "PARTNER_REMOVED"}}
    (first,), (second,) = parse(payload), parse(dict(payload))
    assert isinstance(first, Ignored)
    assert isinstance(second, Ignored)
    assert first.source_id == second.source_id
    assert first.type == "account_update"
    assert first.person.address == ""


def test_an_error_of_the_number_is_kept_with_its_code() -> None:
    (event,) = parse({"kind": "error", "error": {"code": 131000, "title": "Something went wrong"}})
    assert isinstance(event, Ignored)
    assert event.reason == "reported by WhatsApp: Something went wrong (131000)"


def test_group_status_of_many_participants_gives_one_receipt_each() -> None:
    """All of them carry one message id: the rank of the status decides, not their number."""
    status = {"id": "wamid.g", "status": "delivered", "recipient_type": "group", "timestamp": "1764000000"}
    assert [parse({"kind": "status", "status": status})[0] for _ in range(2)] == [
        *parse({"kind": "status", "status": status}),
        *parse({"kind": "status", "status": status}),
    ]
