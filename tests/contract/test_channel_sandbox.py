"""The channels against the sandbox's stand-ins, which are as strict as the providers: both ways, every kind."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from relay.core.errors import SendError
from relay.core.messages import Message, Person, Receipt, Recipient, Report, Typing
from sandbox.samples import sample
from tests.contract.relay_side import CONTACT, PHONE, TO, Relay, soon
from tests.waiting import wait_until

KINDS = [
    ({"text": "Hello"}, "Hello"),
    ({"type": "image", "sample": True, "text": "a caption"}, "a caption"),
    ({"type": "video", "sample": True}, ""),
    ({"type": "audio", "sample": True}, ""),
    ({"type": "document", "sample": True}, ""),
    ({"type": "sticker", "sample": True}, ""),
    ({"type": "location", "message": {"location": {"latitude": 52.5, "longitude": 13.4}}}, "📍 Location"),
    ({"type": "contacts", "message": {"contacts": [{"name": {"formatted_name": "Bo"}}]}}, "👤 Bo"),
    ({"type": "unsupported"}, "[The customer sent a poll."),
]


@pytest.mark.parametrize(("sent", "text"), KINDS, ids=lambda it: it.get("type", "text") if isinstance(it, dict) else "")
def test_a_customers_message_reaches_the_desk(relay: Relay, sent: dict[str, Any], text: str) -> None:
    relay.control("phone/messages", **{"from": PHONE, "name": "Ada Brandt", **sent})
    message: Message = relay.event("meta", Message)
    assert (message.person.wa_id, message.person.name) == (PHONE, "Ada Brandt")
    url = None
    if message.media:
        message, url = _taken(relay, message)
    for part in relay.genesys.fit(message):
        request = relay.genesys.render(part, str(uuid.uuid4()), TO, relay.integration, url)
        taken = relay.genesys.send(request, relay.integration, soon())
        assert taken.provider_id
        assert uuid.UUID(taken.genesys_conversation_id or "")
    (shown,) = relay.control(f"agent/{CONTACT}/messages")["messages"]
    assert (shown["text"] or "").startswith(text)
    assert bool(shown["attachment"]) == (message.media is not None)
    assert shown["channel_message_id"] == message.source_id
    receipt = relay.event("genesys", Receipt)
    assert (receipt.provider_id, receipt.status) == (taken.provider_id, "delivered")


def _taken(relay: Relay, message: Message) -> tuple[Message, str]:
    """The file downloaded, and the message as it looks after that."""
    assert message.media is not None
    with relay.meta.fetch(message.media, relay.number, soon()) as download:
        content = b"".join(download.chunks)
    assert content == sample(message.type).data
    media = replace(message.media, size=len(content), mime_type=download.mime_type)
    return replace(message, media=relay.genesys.fit_media(media)), "https://files.example.org/file"


REPLIES: list[tuple[dict[str, Any], str, str]] = [
    ({"text": "How can I help?"}, "text", "How can I help?"),
    ({"sample": "image", "text": "see"}, "image", "see"),
    ({"sample": "video"}, "video", ""),
    ({"sample": "audio"}, "audio", ""),
    ({"sample": "document"}, "document", ""),
    ({"sample": "docx"}, "document", ""),
    ({"sample": "sticker"}, "text", ""),
    (
        {
            "type": "Structured",
            "text": "Which day?",
            "content": [{"contentType": "QuickReply", "quickReply": {"text": "Monday", "payload": "mon"}}],
        },
        "interactive",
        "Which day?",
    ),
]


@pytest.mark.parametrize(("reply", "kind", "text"), REPLIES)
def test_an_agents_message_reaches_the_phone(relay: Relay, reply: dict[str, Any], kind: str, text: str) -> None:
    relay.control("phone/messages", **{"from": PHONE, "text": "Hello"})
    relay.control("agent/messages", contact=CONTACT, **reply)
    message: Message = relay.event("genesys", Message)
    assert message.person.address == CONTACT
    own_id = str(uuid.uuid4())
    (part,) = relay.meta.fit(_uploaded(relay, message) if message.media else message)
    request = relay.meta.render(part, own_id, TO, relay.number, "https://files.example.org/file")
    sent = relay.meta.send(request, relay.number, soon())
    assert sent.aliases == (PHONE,)
    wait_until(lambda: "read" in {it.status for it in relay.events("meta", Receipt)}, message="the read status")
    shown = next(it for it in relay.control(f"phone/{PHONE}/messages")["messages"] if it["id"] == sent.provider_id)
    assert (shown["type"], (shown["text"] or "")[: len(text)]) == (kind, text)
    receipts = relay.events("meta", Receipt)
    assert {(it.provider_id, it.message_id) for it in receipts} == {(sent.provider_id, own_id)}
    _report(relay, message)


def _uploaded(relay: Relay, message: Message) -> Message:
    assert message.media is not None
    with relay.genesys.fetch(message.media, relay.integration, soon()) as download:
        content = b"".join(download.chunks)
    media = relay.meta.fit_media(replace(message.media, size=len(content)))
    if media.kind != "link":
        media = replace(media, upload_id=relay.meta.upload(BytesIO(content), media, relay.number, soon()))
    return replace(message, media=media)


def _report(relay: Relay, message: Message) -> None:
    """The agent sees first that it failed, then that it came through after all."""
    for status, code in (("failed", "131047"), ("delivered", None)):
        report = Report("id", message.source_id, status, time.time(), code)  # type: ignore[arg-type]
        relay.genesys.send(relay.genesys.render_report(report, TO, relay.integration), relay.integration, soon())
        newest = relay.control(f"agent/{CONTACT}/messages")["messages"][-1]
        assert newest["status"].lower() == status


def test_typing(relay: Relay) -> None:
    relay.control("agent/messages", contact=CONTACT, typing=True)
    assert relay.event("genesys", Typing).person.address == CONTACT


def test_a_customer_without_a_number(relay: Relay) -> None:
    sent = {"from": PHONE, "text": "Hello", "user_id": "DE.13491208655302741918", "hide_phone": True}
    relay.control("phone/messages", **sent)
    person = relay.event("meta", Message).person
    assert (person.wa_id, person.bsuid, person.address) == (None, sent["user_id"], sent["user_id"])
    to = Recipient(CONTACT, bsuid=person.bsuid)
    answer_to = Message("7f3c", person, time.time(), text="Hi")
    request = relay.meta.render(answer_to, str(uuid.uuid4()), to, relay.number, None)
    assert relay.meta.send(request, relay.number, soon()).aliases == (person.bsuid,)
    assert relay.control("stats")["findings"] == []


def test_checks(relay: Relay) -> None:
    for channel, account in ((relay.meta, relay.number), (relay.genesys, relay.integration)):
        findings = channel.check(account, soon())
        assert "refused" not in {finding.level for finding in findings}, findings
    stranger = replace(relay.integration, line_ref=str(uuid.uuid4()))
    assert "refused" in {finding.level for finding in relay.genesys.check(stranger, soon())}
    bad = replace(relay.number, credentials={**relay.number.credentials, "access_token": "EAAG-wrong"})
    assert {finding.level for finding in relay.meta.check(bad, soon())} == {"refused"}


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"error_rate": 1, "error_codes": [503]}, "retry"),
    ({"error_rate": 1, "error_codes": [429], "retry_after": 3}, "throttled"),
    ({"timeout_rate": 1}, "unknown"),
    ({"html_502_rate": 1}, "unknown"),
    ({"html_502_processed_rate": 1}, "unknown"),
    ({"html_200_rate": 1}, "unknown"),
    ({"token_expired": "for_good"}, "credentials"),
]


@pytest.mark.parametrize(
    ("side", "faults", "fate"),
    [
        ("meta", {"error_rate": 1, "error_codes": [131056]}, "throttled"),
        *((side, *fault) for side in ("meta", "genesys") for fault in FAULTS),
    ],
)
def test_faults(relay: Relay, side: str, faults: dict[str, Any], fate: str) -> None:
    relay.control("phone/messages", **{"from": PHONE, "text": "Hello"})
    relay.control("faults", **{side: faults})
    channel, account = (relay.meta, relay.number) if side == "meta" else (relay.genesys, relay.integration)
    message = Message("7f3c", relay.event("meta", Message).person, time.time(), text="Hi")
    request = channel.render(message, str(uuid.uuid4()), TO, account, None)
    with pytest.raises(SendError) as caught:
        channel.send(request, account, soon())
    assert caught.value.fate == fate, caught.value
    if "retry_after" in faults:
        assert caught.value.retry_after == 3


def test_an_expired_genesys_token_is_renewed(relay: Relay) -> None:
    message = Message("wamid.1", Person(PHONE, wa_id=PHONE), time.time(), text="Hi")
    request = relay.genesys.render(message, str(uuid.uuid4()), TO, relay.integration, None)
    relay.genesys.send(request, relay.integration, soon())
    relay.control("faults", genesys={"token_expired": "until_renewed"})
    second = relay.genesys.render(replace(message, source_id="wamid.2"), "id", TO, relay.integration, None)
    assert relay.genesys.send(second, relay.integration, soon()).provider_id


def test_a_download_that_wants_the_token(relay: Relay) -> None:
    relay.control("faults", genesys={"download_needs_token": True})
    relay.control("agent/messages", contact=CONTACT, sample="document")
    media = relay.event("genesys", Message).media
    with relay.genesys.fetch(media, relay.integration, soon()) as download:
        assert b"".join(download.chunks) == sample("document").data
