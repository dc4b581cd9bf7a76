"""Handing a thread over, as Meta's endpoint wants it asked for."""

from __future__ import annotations

from typing import Any

import pytest

from relay.channels.base import Account
from relay.channels.whatsapp.outbound.fitting import fit
from relay.channels.whatsapp.outbound.render import render
from relay.core.errors import CannotCarry
from relay.core.messages import Message, Person, Recipient
from relay.core.threads import THREAD_CONTROL, ThreadControl

ACCOUNT = Account("t", "l", "700000000000001", {})
TO = Recipient("15550001111", wa_id="15550001111")


def asked(control: ThreadControl | None, to: Recipient = TO) -> Any:
    message = Message("m", Person("15550001111"), 0.0, type=THREAD_CONTROL, text="/…" * 3000, control=control)
    [only] = fit(message)
    request = render(only, "id", to, ACCOUNT, None)
    assert (request.method, request.path) == ("POST", "/700000000000001/thread_control")
    assert request.body.pop("messaging_product") == "whatsapp"
    return request.body


def test_a_pass_names_its_role_and_carries_the_note() -> None:
    assert asked(ThreadControl("pass", "customer_service", "wants a person")) == {
        "to": "15550001111",
        "action": "pass",
        "metadata": "wants a person",
        "control_pass": {"target_role": "customer_service"},
    }
    assert asked(ThreadControl("pass")) == {"to": "15550001111", "action": "pass"}, "to the escalation partner"


@pytest.mark.parametrize("action", ["release", "take"])
def test_release_and_take_name_nobody(action: Any) -> None:
    assert asked(ThreadControl(action, "ai_agent")) == {"to": "15550001111", "action": action}


def test_a_contact_without_a_number_is_named_by_the_user_id() -> None:
    assert asked(ThreadControl("take"), Recipient("DE.1491", bsuid="DE.1491"))["recipient"] == "DE.1491"


def test_a_note_is_cut_and_what_asks_for_nothing_is_refused() -> None:
    assert len(asked(ThreadControl("release", note="x" * 5000))["metadata"]) == 2000
    with pytest.raises(CannotCarry):
        asked(None)
