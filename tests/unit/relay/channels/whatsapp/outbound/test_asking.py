"""What a customer is asked for by a tap, as Meta wants it, and how much text stands above the button."""

from __future__ import annotations

from typing import Any

import pytest

from relay.channels.whatsapp.outbound.asking import BELOW
from relay.channels.whatsapp.outbound.fitting import fit
from relay.channels.whatsapp.outbound.render import render
from relay.core.content import Ask, Location
from relay.core.messages import Media, Message, Person, Recipient
from tests.unit.relay.channels.accounts import CONTACT, PHONE, WHATSAPP

FORM = {"flow_message_version": "3", "flow_token": "row", "flow_cta": "Open"}


def asked(ask: Ask, text: str | None = "Please", **more: Any) -> Message:
    return Message("7f3c", Person(CONTACT), 1764000000.0, "ask", text, ask=ask, **more)


def sent(it: Message) -> dict[str, Any]:
    body = render(it, "row", Recipient(CONTACT, wa_id=PHONE), WHATSAPP, None).body
    found: dict[str, Any] = body["interactive"]
    return found


@pytest.mark.parametrize(
    ("kind", "type_", "name"),
    [
        ("contact", "request_contact_info", "request_contact_info"),
        ("location", "location_request_message", "send_location"),
        ("call", "call_permission_request", "call_permission_request"),
    ],
)
def test_a_request(kind: Any, type_: str, name: str) -> None:
    assert sent(asked(Ask(kind))) == {"type": type_, "body": {"text": "Please"}, "action": {"name": name}}


def test_leave_to_call_may_be_asked_for_without_a_word() -> None:
    assert "body" not in sent(asked(Ask("call"), None))


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (Ask("flow", "123"), FORM | {"flow_id": "123"}),
        (Ask("flow", "sign_up", "x" * 40), FORM | {"flow_name": "sign_up", "flow_cta": "x" * 29 + "…"}),
        (
            Ask("flow", "123", screen="HALL"),
            FORM | {"flow_id": "123", "flow_action": "navigate", "flow_action_payload": {"screen": "HALL"}},
        ),
    ],
)
def test_a_form_is_known_again_by_our_id(ask: Ask, expected: dict[str, Any]) -> None:
    assert sent(asked(ask))["action"] == {"name": "flow", "parameters": expected}


def test_a_long_text_goes_ahead_as_few_messages() -> None:
    *ahead, last = fit(asked(Ask("location"), "word " * 400))
    assert [(one.ask, one.media) for one in ahead] == [(None, None)]
    assert (last.ask, last.text, last.parts) == (Ask("location"), BELOW, 2)
    assert [one.text for one in fit(asked(Ask("location")))] == ["Please"]


def test_what_came_along_goes_ahead() -> None:
    file, place = Media("image", "image/png", source_url="https://example.org/a.png"), Location(1, 2)
    found = fit(asked(Ask("call"), None, media=file, place=place))
    assert [(one.media, one.place, one.ask) for one in found] == [
        (file, None, None), (None, place, None), (None, None, Ask("call")),
    ]  # fmt: skip
