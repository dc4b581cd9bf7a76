"""What a webhook's field means decides what becomes of it, whatever its value looks like."""

from __future__ import annotations

from typing import Any

import pytest

from relay.channels.whatsapp.fields import FIELDS
from relay.channels.whatsapp.inbound.parse import parse
from relay.channels.whatsapp.webhook import split
from relay.core.messages import Event, Message, Notice, Receipt

OWN = "+1 555-000-2222"
PICTURE = {"id": "wamid.old", "from": "4917", "timestamp": "1782000000", "type": "image", "image": {"id": "9"}}
WROTE = {"id": "wamid.1", "from": "4917", "timestamp": "1790000000", "type": "text", "text": {"body": "hello"}}
READ = {"id": "wamid.out", "status": "read", "timestamp": "1790000000", "recipient_id": "4917"}
NUMBER = {"phone_number_id": "700", "display_phone_number": OWN}

CARRYING = ("messages", "standby")
"""Fields in which a customer's message is a customer's message."""
ECHOING = ("message_echoes", "smb_message_echoes")
NEWS = (
    "account_alerts", "account_review_update", "account_settings_update", "account_update", "automatic_events",
    "business_capability_update", "business_username_update", "business_username_updates", "consumer_profile",
    "flows", "group_lifecycle_update", "group_participants_update", "group_settings_update", "group_status_update",
    "history", "message_template_components_update", "message_template_quality_update",
    "message_template_status_update", "messaging_handovers", "partner_solutions", "payment_configuration_update",
    "phone_number_name_update", "phone_number_quality_update", "security", "smb_app_state_sync",
    "template_category_update", "template_correct_category_detection", "user_preferences",
)  # fmt: skip
"""Of these Meta sends no message that anybody writes now."""


def told(field: str, **value: Any) -> list[Event]:
    body = {"entry": [{"id": "900", "changes": [{"field": field, "value": {"metadata": NUMBER, **value}}]}]}
    parts = list(split(body))
    assert {part.line_ref for part in parts} == {"700"}
    return [event for part in parts for event in parse(part.payload)]


def test_every_field_that_meta_names_has_a_meaning() -> None:
    assert set(FIELDS) == {*CARRYING, *ECHOING, *NEWS, "calls"}


@pytest.mark.parametrize("field", NEWS)
def test_news_is_never_a_customers_new_message(field: str) -> None:
    (event,) = told(field, messages=[PICTURE], message_echoes=[WROTE], statuses=[READ])
    assert isinstance(event, Notice)
    assert event.kind == field
    assert FIELDS[field].news in event.reason


@pytest.mark.parametrize("field", [*CARRYING, "a_field_of_next_year"])
def test_a_customers_message_is_carried(field: str) -> None:
    (event,) = told(field, messages=[WROTE])
    assert isinstance(event, Message)
    assert "hello" in (event.text or "")


@pytest.mark.parametrize("field", ECHOING)
def test_echoes_are_news_of_the_business_and_hold_no_customers_message(field: str) -> None:
    (event,) = told(field, message_echoes=[{**WROTE, "from": OWN, "to": "4917"}], messages=[PICTURE])
    assert isinstance(event, Message)
    assert (event.notice, event.person.wa_id) == (True, "4917")


@pytest.mark.parametrize("sender", [OWN, "15550002222", "+15550002222"])
def test_what_the_business_wrote_to_a_customer_is_an_echo_in_any_list(sender: str) -> None:
    (event,) = told("messages", messages=[{**WROTE, "from": sender, "to": "4917"}])
    assert isinstance(event, Message)
    assert (event.notice, event.person.wa_id, event.window_until) == (True, "4917", None)


@pytest.mark.parametrize("own_contact", [[], [{"wa_id": "15550002222"}]])
@pytest.mark.parametrize("to", [{}, {"to": OWN}])
def test_the_business_is_never_its_own_customer(own_contact: list[Any], to: dict[str, str]) -> None:
    (event,) = told("messages", messages=[{**WROTE, "from": "15550002222", **to}], contacts=own_contact)
    assert isinstance(event, Notice)


def test_a_copy_seen_in_standby_never_stands_for_the_message_itself() -> None:
    (copy,), (ours,) = told("standby", messages=[WROTE]), told("messages", messages=[WROTE])
    assert isinstance(copy, Message)
    assert isinstance(ours, Message)
    assert copy.source_id != ours.source_id
    assert (copy.own_id, ours.own_id) == (None, "wamid.1"), "a read mark names only what was sent to us"


def test_standby_may_hold_its_lists_one_object_deeper() -> None:
    deeper = {"messages": [WROTE], "contacts": [{"wa_id": "4917", "profile": {"name": "Ada"}}], "statuses": [READ]}
    message, receipt = told("standby", standby=deeper)
    assert isinstance(message, Message)
    assert message.person.name == "Ada"
    assert isinstance(receipt, Receipt)


@pytest.mark.parametrize("empty", [{"standby": {}}, {"standby": None}, {}])
def test_an_empty_standby_is_news(empty: dict[str, Any]) -> None:
    (event,) = told("standby", **empty)
    assert isinstance(event, Notice)


def test_a_handover_reaches_the_number_it_names_as_recipient() -> None:
    value = {"recipient": {"phone_number_id": "700"}, "type": "control_passed", "control_passed": {}}
    (part,) = split({"entry": [{"id": "900", "changes": [{"field": "messaging_handovers", "value": value}]}]})
    assert part.line_ref == "700"


@pytest.mark.parametrize(
    "shape",
    [
        {}, {"ephemeral": {}}, {"ephemeral": {"id": "1"}}, {"ephemeral": None}, {"ephemeral": "text"},
        {"unsupported": {"type": "x"}}, {"errors": [{"code": 131051, "title": "Message type unknown"}]},
    ],
)  # fmt: skip
def test_a_disappearing_message_is_told_and_not_dropped(shape: dict[str, Any]) -> None:
    (event,) = told("messages", messages=[{"id": "wamid.2", "from": "4917", "type": "ephemeral", **shape}])
    assert isinstance(event, Message)
    assert "ask the customer" in (event.text or "")
