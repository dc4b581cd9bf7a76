"""Everything else that customers and agents send: readable on the other side, and in the right conversation."""

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

LOCATION = {"latitude": 52.5, "longitude": 13.4, "name": "Brandenburger Tor", "address": "Pariser Platz, Berlin"}
CARD = {"name": {"formatted_name": "Ada Brandt"}, "phones": [{"phone": "+49 30 999"}], "org": {"company": "Nordwind"}}
ORDER = {"catalog_id": "c", "product_items": [{"product_retailer_id": "boots", "quantity": 2, "item_price": 80}]}
FLOW = {"name": "flow", "body": "Sent", "response_json": '{"size": "42", "flow_token": "t"}'}
EDIT = {"original_message_id": "wamid.A", "message": {"type": "text", "text": {"body": "at five"}}}
TOO_LARGE = [{"code": 131052, "title": "Media download error", "error_data": {"details": "The file is too large"}}]

# (type, what the message object holds, what the agent has to find in the text)
KINDS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("location", {"location": LOCATION}, ["Brandenburger Tor", "52.5,13.4"]),
    ("contacts", {"contacts": [CARD]}, ["Ada Brandt", "+49 30 999", "Nordwind"]),
    ("interactive", {"interactive": {"type": "button_reply", "button_reply": {"id": "b", "title": "Yes"}}}, ["Yes"]),
    ("interactive", {"interactive": {"type": "list_reply", "list_reply": {"id": "l", "title": "Monday"}}}, ["Monday"]),
    ("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": FLOW}}, ["flow", "size: 42"]),
    ("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{"}}}, ["answered"]),
    ("interactive", {"interactive": {"type": "call_permission_reply"}}, ["Permission to call"]),
    ("interactive", {"interactive": {"type": "product_of_2027", "product_of_2027": {}}}, ["product_of_2027"]),
    ("button", {"button": {"payload": "yes", "text": "Yes, please"}}, ["Yes, please"]),
    ("reaction", {"reaction": {"message_id": "wamid.A", "emoji": "👍"}}, ["👍"]),
    ("reaction", {"reaction": {"message_id": "wamid.A"}}, ["removed"]),
    ("order", {"order": ORDER}, ["2 × boots", "80"]),
    ("unsupported", {}, ["poll_creation"]),
    ("edit", {"edit": EDIT}, ["edited", "at five"]),
    ("revoke", {"revoke": {"original_message_id": "wamid.A"}}, ["deleted"]),
    ("image", {"image": {}, "errors": TOO_LARGE}, ["image", "too large", "131052"]),
    ("hologram", {"hologram": {"depth": 3}}, ["hologram"]),
]


@pytest.fixture(scope="module")
def other(installation: Installation) -> Line:
    return installation.tenant("Other")[0]


def test_every_type_reaches_the_agent_as_something_readable_and_in_order(
    installation: Installation, line: Line
) -> None:
    chat = Chat(installation, line, "4917100000001")
    for kind, message, _ in KINDS:
        chat.writes(type=kind, message=message)
    chat.writes("that was all")
    chat.agent_reads_in_time("that was all")
    read = chat.agent_reads()
    assert len(read) == len(KINDS) + 1
    for (kind, _, words), text in zip(KINDS, read, strict=False):
        assert all(word in text for word in words), f"{kind}: the agent reads {text!r}"


def test_system_messages_are_kept_and_not_shown(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917100000002")
    noticed = chat.writes(type="system", message={"system": {"type": "customer_identity_changed", "body": "changed"}})
    opened = chat.writes(type="request_welcome")
    chat.writes("hello")
    chat.agent_reads_in_time("hello")
    assert chat.agent_reads() == ["hello"]
    assert {installation.state(one) for one in (noticed, opened)} == {"ignored"}


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


def test_long_texts_are_split_and_stay_in_order(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917100000004").opened()
    words = " ".join(f"word{number}" for number in range(3000))
    chat.writes(words)
    chat.writes("short")
    chat.agent_reads_in_time("short")
    parts = chat.agent_reads()[1:-1]
    assert len(parts) > 5 and " ".join(parts) == words

    source = chat.answers(words)
    chat.answers("short")
    chat.phone_reads_in_time("short")
    parts = chat.phone_reads()[:-1]
    assert len(parts) > 5 and " ".join(parts) == words
    wait_until(lambda: chat.told(source) == ["Delivered"], 20, "one Delivered for the whole text")


def test_an_agents_rich_content_can_be_read_on_the_phone(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917100000005").opened()
    replies = [{"contentType": "QuickReply", "quickReply": {"text": day, "payload": day}} for day in ("Mon", "Tue")]
    link = {"type": "Link", "text": "Buy", "url": "https://x.example"}
    card = {"contentType": "Card", "card": {"title": "Boots", "actions": [link]}}
    chat.answers("Which day?", type="Structured", content=replies)
    chat.answers(None, type="Structured", content=[card])
    wait_until(lambda: len(chat.phone_reads()) == 2, 20, "both to arrive")
    days, shown = chat.phone_reads()
    assert days == "Which day?\n1. Mon\n2. Tue"
    assert "Boots" in shown and "https://x.example" in shown


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


def test_somebody_without_a_phone_number_is_answered_by_user_id(installation: Installation, line: Line) -> None:
    wa_id = "4917100000007"
    wamid = installation.phone_sends(**{"from": wa_id}, to=line.phone_number_id, text="who am I?", hide_phone=True)
    user_id = installation.control("GET", f"/phone/{wa_id}")["user_id"]
    chat = Chat(installation, line, wa_id, contact=user_id)
    chat.agent_reads_in_time("who am I?")
    chat.answers("a username")
    chat.phone_reads_in_time("a username")
    row = installation.row(wamid)
    [mapping] = installation.rows("SELECT * FROM conversation_mappings WHERE id = %s", row["conversation_id"])
    assert (mapping["wa_id"], mapping["bsuid"]) == (None, user_id)
    findings = installation.control("GET", "/stats")["findings_count"]
    assert "bsuid_in_to" not in findings and "unknown_bsuid" not in findings


def test_a_person_who_hides_the_number_later_stays_one_conversation(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917100000008").opened()
    hidden = chat.writes("now without a number", hide_phone=True)
    shown = chat.writes("and with it again", hide_phone=False)
    chat.agent_reads_in_time("hello", "now without a number", "and with it again")
    assert installation.row(hidden)["conversation_id"] == installation.row(shown)["conversation_id"]


def test_a_person_whose_number_appears_later_stays_one_conversation(installation: Installation, line: Line) -> None:
    wa_id = "4917100000009"
    user_id = installation.control("GET", f"/phone/{wa_id}")["user_id"]
    chat = Chat(installation, line, wa_id, contact=user_id)
    chat.writes("without", hide_phone=True)
    chat.agent_reads_in_time("without")
    chat.writes("with", hide_phone=False)
    chat.agent_reads_in_time("without", "with")
    chat.answers("found you")
    chat.phone_reads_in_time("found you")


def test_a_changed_number_stays_one_conversation_and_answers_follow_it(installation: Installation, line: Line) -> None:
    old, new = "4917100000010", "4917100000011"
    before = Chat(installation, line, old).opened()
    before.writes(type="system", message={"system": {"type": "user_changed_number", "wa_id": new, "body": "moved"}})
    after = Chat(installation, line, new, contact=old)
    after.writes("my new number")
    after.agent_reads_in_time("hello", "my new number")
    after.answers("noted")
    after.phone_reads_in_time("noted")


def test_typing_and_unknown_genesys_types_do_no_harm(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917100000012").opened()
    chat.answers(None, typing=True)
    chat.answers(None, message={"type": "Hologram", "text": "?"})
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
