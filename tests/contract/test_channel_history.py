"""What Genesys tells afterwards, asked of the stand-in by the relay's own channel: the same as its webhooks said."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from relay.channels.genesys import history
from relay.channels.listings import ListedMessage, WrittenMessage
from relay.channels.text import unix_seconds
from relay.core.errors import SendError
from relay.core.messages import Media, Message, Person, Receipt, Report
from tests.contract.relay_side import CONTACT, PHONE, TO, Relay, soon

ODD = [{}, {"history_dashed_ids": True}, {"history_names_ours": False}]
WRITTEN = [
    {"text": "How can I help?"},
    {"sample": "image", "text": "see"},
    {"sample": "document"},
    {"sample": "quick_replies"},
    {"sample": "carousel"},
    {"sample": "notification"},
]


def hello(relay: Relay, text: str = "Hello", source_id: str = "wamid.1") -> tuple[Message, str, str]:
    """A customer's message at the desk: it, Genesys' id of it, and its conversation's."""
    message = Message(source_id, Person(PHONE, wa_id=PHONE), time.time(), text=text)
    sent = relay.genesys.send(
        relay.genesys.render(message, "id", TO, relay.integration, None), relay.integration, soon()
    )
    return message, sent.provider_id, sent.genesys_conversation_id or ""


def listed(relay: Relay, conversation: str) -> tuple[ListedMessage, ...]:
    return relay.history.listed(conversation, relay.integration, soon()).messages


def written(relay: Relay, conversation: str) -> list[WrittenMessage]:
    return relay.history.written(
        conversation, CONTACT, listed(relay, conversation), relay.integration, soon(), ours=True
    )


@pytest.mark.parametrize("odd", ODD)
def test_what_agents_wrote_is_told_as_its_webhooks_told_it(relay: Relay, odd: dict[str, Any]) -> None:
    _, _, conversation = hello(relay)
    for one in WRITTEN:
        relay.control("agent/messages", contact=CONTACT, **one)
    relay.event("genesys", Message, at_least=len(WRITTEN))
    by_webhook = relay.events("genesys", Message)
    relay.control("faults", genesys=odd)
    parts = [part for one in written(relay, conversation) for part in one.updates]
    assert {(one.line_ref, one.address) for one in parts} == {(relay.integration.line_ref, CONTACT)}
    assert [event for one in parts for event in relay.genesys.parse(one.payload)] == by_webhook


def test_delivered_is_what_the_relay_itself_reported_and_nothing_else(relay: Relay) -> None:
    _, _, conversation = hello(relay)
    ids = [relay.control("agent/messages", contact=CONTACT, text=text)["id"] for text in ("a", "b", "c")]
    for report in (Report("m", ids[0], "delivered", time.time()), Report("m", ids[1], "failed", time.time())):
        relay.genesys.send(relay.genesys.render_report(report, TO, relay.integration), relay.integration, soon())
    assert [one.delivered for one in written(relay, conversation)] == [True, False, False]
    assert [one.at for one in written(relay, conversation)] == pytest.approx([time.time()] * 3, abs=120)


def test_the_list_has_the_ids_of_webhooks_and_of_answers(relay: Relay) -> None:
    _, provider_id, conversation = hello(relay)
    reply = relay.control("agent/messages", contact=CONTACT, text="Hi")["id"]
    for odd in ODD:
        relay.control("faults", genesys=odd)
        assert [one.message_id for one in listed(relay, conversation)] == [provider_id, reply]


def test_another_lines_messages_are_not_told(relay: Relay) -> None:
    _, _, conversation = hello(relay)
    relay.control("agent/messages", contact=CONTACT, text="Hi")
    other = replace(relay.integration, line_ref="22222222-bbbb-4000-8000-000000000002")
    assert relay.history.written(conversation, CONTACT, listed(relay, conversation), other, soon(), ours=True) == []


@pytest.mark.parametrize("odd", ODD)
def test_a_message_whose_answer_was_lost_is_found(relay: Relay, odd: dict[str, Any]) -> None:
    _, _, conversation = hello(relay)
    lost, provider_id, _ = hello(relay, "It is about parcel 42", "wamid.2")
    relay.control("faults", genesys=odd)
    history, among = relay.history, listed(relay, conversation)
    assert history.taken(conversation, lost, among, relay.integration, soon()) == provider_id
    never = replace(lost, source_id="wamid.3", text="And one more thing")
    assert history.taken(conversation, never, among, relay.integration, soon()) is None
    late = replace(lost, source_id="wamid.4", provider_time=lost.provider_time + 1)
    assert history.taken(conversation, late, among, relay.integration, soon()) is None


def test_a_file_with_a_caption_is_found_without_our_id(relay: Relay) -> None:
    _, _, conversation = hello(relay)
    media = Media("image", "image/jpeg", caption="see")
    message = Message("wamid.5", Person(PHONE, wa_id=PHONE), time.time(), type="image", media=media)
    request = relay.genesys.render(message, "id", TO, relay.integration, f"{relay.url}/nothing.jpg")
    provider_id = relay.genesys.send(request, relay.integration, soon()).provider_id
    relay.control("faults", genesys={"history_names_ours": False})
    found = relay.history.taken(conversation, message, listed(relay, conversation), relay.integration, soon())
    assert found == provider_id


def test_of_two_that_say_the_same_the_other_is_not_taken_for_it(relay: Relay) -> None:
    """WhatsApp tells whole seconds."""
    first, _, conversation = hello(relay, "Hello?")
    lost, among = replace(first, source_id="wamid.twin"), listed(relay, conversation)
    assert relay.history.taken(conversation, lost, among, relay.integration, soon()) is None


def test_a_file_without_a_caption_is_found_by_our_id_alone(relay: Relay) -> None:
    """The files of an album have one time."""
    _, _, conversation = hello(relay)
    media, person = Media("image", "image/jpeg"), Person(PHONE, wa_id=PHONE)
    message = Message("wamid.7", person, 1_790_000_000.0, type="image", media=media)
    request = relay.genesys.render(message, "id", TO, relay.integration, f"{relay.url}/nothing.jpg")
    provider_id = relay.genesys.send(request, relay.integration, soon()).provider_id
    for names_ours, found in ((True, provider_id), (False, None)):
        relay.control("faults", genesys={"history_names_ours": names_ours})
        among = listed(relay, conversation)
        assert relay.history.taken(conversation, message, among, relay.integration, soon()) == found


def test_an_answers_id_is_kept_as_webhooks_and_conversations_name_it(relay: Relay) -> None:
    relay.control("faults", genesys={"answers_dashed_ids": True})
    _, provider_id, conversation = hello(relay)
    assert [one.message_id for one in listed(relay, conversation)] == [provider_id]
    assert relay.event("genesys", Receipt).provider_id == provider_id


def test_an_ended_conversation_is_over_and_the_next_is_found_by_what_went_into_it(relay: Relay) -> None:
    _, _, first = hello(relay)
    assert not relay.history.listed(first, relay.integration, soon()).over
    relay.control(f"agent/{CONTACT}/end", integration_id=relay.integration.line_ref)
    _, provider_id, second = hello(relay, "Again", "wamid.6")
    assert relay.history.listed(first, relay.integration, soon()).over
    assert relay.history.conversation_of(provider_id, relay.integration, soon()) == second != first


def test_what_is_not_there_and_what_is_not_permitted_are_told_apart(relay: Relay) -> None:
    _, _, conversation = hello(relay)
    with pytest.raises(SendError) as caught:
        relay.history.listed("nothing", relay.integration, soon())
    assert caught.value.fate == "refused"
    narrow = {"permissions": ["conversation:message:receive"]}
    relay.control("accounts", genesys={"integration_id": relay.integration.line_ref, **narrow})
    with pytest.raises(SendError) as caught:
        relay.history.written(conversation, CONTACT, listed(relay, conversation), relay.integration, soon(), ours=True)
    assert (caught.value.fate, caught.value.status) == ("credentials", 403)
    assert "conversation:message:view" in caught.value.text
    checked = {one.check: one for one in relay.genesys.check(relay.integration, soon())}
    assert (checked["history"].level, "conversation:message:view" in checked["history"].advice) == ("warning", True)


def test_whatsapp_tells_nothing_afterwards(relay: Relay) -> None:
    assert relay.meta.history is None


def agentless(relay: Relay, contact: str, text: str) -> None:
    """A campaign writes first: to a conversation of which no customer has told."""
    body = {
        "fromAddress": relay.integration.line_ref,
        "toAddress": contact,
        "toAddressMessengerType": "open",
        "textBody": text,
    }
    told: Any = relay.history
    answer = told._client.call("POST", "/api/v2/conversations/messages/agentless", relay.integration, soon(), body=body)
    assert answer.status == 202, answer.text


def test_conversations_that_began_meanwhile_are_told_page_by_page(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 2)
    since = time.time() - 5
    for number in range(3):
        agentless(relay, f"contact-{number}", "Your parcel is here")
    pages = [relay.history.begun(since, page, relay.integration, soon()) for page in (1, 2)]
    assert [(len(one.ids), one.more) for one in pages] == [(2, True), (1, False)]
    [first, *_] = pages[0].ids
    [one] = relay.history.written(first, "", listed(relay, first), relay.integration, soon(), ours=False)
    [part] = one.updates
    assert part.address == "contact-0", "whom it is to is told with the message"
    other = replace(relay.integration, line_ref="22222222-bbbb-4000-8000-000000000002")
    assert relay.history.begun(since, 1, other, soon()).ids == ()


def test_what_names_no_integration_is_a_lines_only_where_no_other_can_have_written_it(relay: Relay) -> None:
    told = {"id": "a", "direction": "outbound", "toAddress": "491", "normalizedMessage": {"text": "x"}}
    assert history._as_webhook(told, "", relay.integration, ours=False) is None
    assert history._as_webhook(told, "", relay.integration, ours=True)
    named = told | {"fromAddress": relay.integration.line_ref}
    assert history._as_webhook(named, "", relay.integration, ours=False)


@pytest.mark.parametrize(
    ("began", "addresses", "may"),
    [
        ("2026-11-30T12:00:00.000Z", {"addressTo": "line"}, True),
        ("2026-11-30T12:00:00.000Z", {"addressFrom": "line", "addressTo": "customer"}, True),
        ("2026-11-30T12:00:00.000Z", {}, True),
        ("2026-11-30T12:00:00.000Z", {"addressTo": "another line"}, False),
        ("2026-11-30T01:00:00.000Z", {"addressTo": "line"}, False),
        (None, {"addressTo": "line"}, True),
    ],
)
def test_of_the_conversations_of_a_day_those_count_that_began_since_on_this_line(
    began: str | None, addresses: dict[str, str], may: bool
) -> None:
    told = {"conversationStart": began, "participants": [{"sessions": [addresses]}, {}]}
    assert history._may_have_begun(told, unix_seconds("2026-11-30T11:00:00.000Z"), "line") is may
