"""Oddities: what databases refuse, people nobody knows, signatures that reach for others, messages without content."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
import requests

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def other(installation: Installation) -> Line:
    return installation.tenant("Other")[0]


def test_text_that_postgresql_would_refuse_arrives_without_what_breaks_it(
    installation: Installation, line: Line
) -> None:
    chat = Chat(installation, line, "4917100000003")
    for text in ("nul \x00 here", "half an emoji \ud83d here", "both \x00 \ud83d here"):
        chat.writes(text)
    chat.writes("and the next one")
    chat.agent_reads_in_time("and the next one")
    words = [text.split() for text in chat.agent_reads()]
    assert [(each[0], each[-1]) for each in words[:3]] == [("nul", "here"), ("half", "here"), ("both", "here")]
    source = chat.answers("back: \x00!")
    wait_until(lambda: chat.phone_reads()[-1:], 20, "the answer to arrive")
    [answer] = chat.phone_reads()
    assert answer.startswith("back: ") and answer.endswith("!") and answer.isprintable()
    assert installation.state(source) in ("sent", "delivered", "read")


def test_an_agents_answer_to_nobody_known_is_tried_and_its_failure_told(installation: Installation, line: Line) -> None:
    """An agentless message creates the contact; Meta then refuses it, because no window is open."""
    chat = Chat(installation, line, "4917100000006")
    source = chat.answers("your parcel has arrived")
    row = chat.state_in_time(source, "failed")
    assert row["reason_code"] == "131047"
    wait_until(lambda: chat.told(source) == ["Failed"], 20, "the agent's side to be told")
    # Afterwards the same person writes: it is the same conversation.
    wamid = chat.writes("thanks!")
    chat.agent_reads_in_time("thanks!")
    assert installation.row(wamid)["conversation_id"] == row["conversation_id"]


def test_typing_and_unknown_genesys_types_do_no_harm(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917100000012").opened()
    chat.answers(None, typing=True)
    chat.answers(None, message={"type": "Hologram", "text": "", "hologram": {}})
    chat.answers("still here")
    chat.phone_reads_in_time("still here")
    assert chat.phone_reads() == ["still here"]


def test_a_tenants_signature_moves_nothing_of_another_tenant(
    installation: Installation, line: Line, other: Line
) -> None:
    chat = Chat(installation, line, "4917100000013").opened()
    installation.control("POST", f"/phone/{chat.wa_id}", {"online": False})
    source = chat.answers("for you alone")
    row = chat.state_in_time(source, "sent")
    status = {"id": row["provider_id"], "status": "read", "timestamp": "1764000000", "recipient_id": chat.wa_id}
    status["biz_opaque_callback_data"] = str(row["id"])
    assert _foreign(installation, other, other.phone_number_id, status) == 200
    assert _foreign(installation, other, line.phone_number_id, status) in (200, 401)
    # What comes after it on the attacker's line has been dealt with, so the forged ones have been as well.
    Chat(installation, other, chat.wa_id).opened()
    assert installation.row(source)["state"] == "sent"
    installation.control("POST", f"/phone/{chat.wa_id}", {"online": True})
    chat.state_in_time(source, "read")


def _foreign(installation: Installation, signer: Line, phone_number_id: str, status: dict[str, Any]) -> int:
    """A status about `phone_number_id`, rightly signed by the app of `signer`, sent to signer's own address."""
    numbers = installation.control("GET", "/accounts")["whatsapp"]
    account = next(one for one in numbers if one["phone_number_id"] == signer.phone_number_id)
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": phone_number_id}, "statuses": [status]}
    body = {"entry": [{"id": account["waba_id"], "changes": [{"field": "messages", "value": value}]}]}
    raw = json.dumps({"object": "whatsapp_business_account", **body}).encode()
    digest = hmac.new(account["app_secret"].encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
    return requests.post(account["callback_url"], data=raw, headers=headers, timeout=30).status_code


def test_an_agents_message_with_nothing_in_it_is_reported_failed(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917100000031").opened()
    source = chat.answers("   ")
    wait_until(lambda: chat.told(source) == ["Failed"], 20, "the agent to be told")
    assert installation.row(source)["reason"] == "no text and no file in it"
    chat.answers("now with words")
    chat.phone_reads_in_time("now with words")
