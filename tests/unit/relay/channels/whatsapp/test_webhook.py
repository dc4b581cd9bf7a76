"""Meta's webhook body: signature, items, and what is kept for a tenant."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from relay.channels.base import ACCOUNT
from relay.channels.raw_update import RawUpdate
from relay.channels.whatsapp import webhook
from relay.channels.whatsapp.webhook import EMPTY_BODY, keep, verify
from tests.unit.relay.channels.recorded import recorded


def split(body: Any) -> list[RawUpdate]:
    return list(webhook.split(body))


SECRET = "app-secret"
RAW = b'{"object":"whatsapp_business_account","x":"caf\\u00e9 \\/ a\\u0040b"}'


def signature(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def test_the_raw_bytes_are_signed() -> None:
    assert verify(SECRET, RAW, signature(RAW))
    assert not verify(SECRET, json.dumps(json.loads(RAW)).encode(), signature(RAW))


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "sha256=",
        "sha256=ü",
        signature(RAW)[7:],
        signature(RAW).upper(),
        signature(RAW) + " ",
        signature(RAW, "another"),
        "sha1=" + hmac.new(SECRET.encode(), RAW, hashlib.sha1).hexdigest(),
    ],
)
def test_other_signatures_are_refused(given: str | None) -> None:
    assert not verify(SECRET, RAW, given)


def test_an_empty_secret_verifies_nothing() -> None:
    assert not verify("", RAW, signature(RAW, ""))


def test_every_entry_change_and_item_is_split() -> None:
    parts = split(recorded("whatsapp", "batch"))
    assert [(part.line_ref[-1:], part.payload["kind"], part.address) for part in parts] == [
        ("1", "message", "4915112345678"),
        ("1", "message", "4915100000002"),
        ("2", "status", "4915112345678"),
        ("2", "status", "DE.13491208655302741918"),
        ("3", "error", ""),
        ("3", "other", ""),
        ("3", "echo", "4915112345678"),
        ("2", "other", ""),
    ]
    assert parts[-1].line_ref.startswith(ACCOUNT)
    assert [part.index for part in parts] == list(range(8))
    assert parts[0].payload["contact"]["profile"]["name"] == "Ada Brandt"
    assert parts[1].payload["contact"]["profile"]["name"] == "Bo"
    assert (parts[1].media_type, parts[1].mime_type) == ("image", "image/png")
    assert parts[6].payload["field"] == "smb_message_echoes"


def test_the_item_stays_as_it_came() -> None:
    body = recorded("whatsapp", "batch")
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    assert split(body)[0].payload["message"] is message


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        7,
        {},
        {"entry": None},
        {"entry": [None, 3, {"changes": "x"}]},
        {"entry": [{"changes": [None, {"field": "messages"}, {"field": 5, "value": [1]}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"messages": [1, None, "x", []]}}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"metadata": 4, "statuses": {"id": []}}}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"contacts": [5], "messages": [{"type": {}}]}}]}]},
        {"entry": []},
        {"entry": [[], {"changes": {}}]},
    ],
)
def test_nothing_is_dropped_from_any_body(body: Any) -> None:
    parts = split(body)
    assert parts
    assert all(isinstance(part.payload, dict) for part in parts)
    keep(body, {"1"})


def test_the_body_of_our_own_checks_says_nothing() -> None:
    assert split(json.loads(EMPTY_BODY)) == []


@pytest.mark.parametrize("field", [None, 7, ["messages"], "messages", "standby", "mesages"])
def test_messages_are_messages_under_any_field(field: Any) -> None:
    change = {"field": field, "value": {"metadata": {"phone_number_id": 300}, "messages": [{"from": "49"}]}}
    (part,) = split({"entry": [{"changes": [change]}]})
    assert (part.line_ref, part.payload["kind"], part.address) == ("300", "message", "49")


def test_one_contact_goes_one_way() -> None:
    """Echoes and calls take the customer's address, so that they stand in order with the messages."""
    value = {
        "message_echoes": [{"from": "1", "to": "49"}, {"from": "1", "to_user_id": "DE.A1"}],
        "calls": [{"from": "49", "to": "1"}, {"from": "1", "to": "49", "direction": "BUSINESS_INITIATED"}],
    }
    parts = split({"entry": [{"changes": [{"field": "any", "value": value}]}]})
    assert [part.address for part in parts] == ["49", "DE.A1", "49", "49"]


def test_a_tenant_gets_its_own_changes_only() -> None:
    body = recorded("whatsapp", "batch")
    kept = keep(body, {"300000000000002"})
    assert kept["object"] == "whatsapp_business_account"
    assert [entry["id"] for entry in kept["entry"]] == ["200000000000001"]
    assert {part.line_ref for part in split(kept)} == {"300000000000002"}
    assert len(split(body)) == 8
    assert keep(body, set())["entry"] == []


def test_a_message_without_sender_takes_its_only_contact() -> None:
    value = {"contacts": [{"user_id": "DE.A1"}], "messages": [{"id": "wamid.x", "type": "text"}]}
    (part,) = split({"entry": [{"changes": [{"field": "messages", "value": value}]}]})
    assert part.address == "DE.A1"


def test_a_strange_contact_is_not_taken() -> None:
    value = {"contacts": [{"wa_id": "1"}], "messages": [{"id": "wamid.x", "from": "2"}]}
    (part,) = split({"entry": [{"changes": [{"value": value}]}]})
    assert part.payload["contact"] is None
