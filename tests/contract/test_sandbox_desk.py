"""The agents' desk sends all that Genesys can send and nothing else, and shows all that comes back."""

from typing import Any

import pytest

from sandbox.samples import sample
from tests.contract.conftest import CUSTOMER, INTEGRATION, Receiver, Sandbox, channel
from tests.contract.conftest import platform_refusal as refused
from tests.waiting import wait_until

ONE = {"contact": "contact-1"}
# The first content's type, and how many answers are on offer.
SAMPLES = {
    "quick_replies": ("QuickReply", 3),
    "quick_replies_list": ("QuickReply", 7),
    "quick_replies_many": ("QuickReply", 12),
    "quick_replies_long": ("QuickReply", 3),
    "quick_reply_v2": ("QuickReplyV2", 3),
    "card": ("Card", 2),
    "card_link": ("Card", 0),
    "card_mixed": ("Card", 1),
    "carousel": ("Carousel", 6),
    "date_picker": ("DatePicker", 5),
    "list_picker": ("ListPicker", 5),
    "notification": ("Notification", 1),
    "notification_media": ("Notification", 1),
    "notification_template": ("Notification", 1),
    "location": ("Location", 0),
    "text_content": ("Text", 0),
    "link": ("Attachment", 0),
    "form": ("Form", 0),
    "interactive_application": ("InteractiveApplication", 0),
    "payment_request": ("PaymentRequest", 0),
    "push": ("Push", 0),
}


def test_every_content_has_a_sample(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    assert set(sandbox.control("/agent/samples")["content"]) == set(SAMPLES)
    sandbox.control("/agent/messages", {"messages": [ONE | {"sample": name} for name in SAMPLES]})
    shown = sandbox.desk()
    found = {
        name: (each["content"][0]["contentType"], len(each["options"]))
        for name, each in zip(SAMPLES, shown, strict=True)
    }
    assert found == SAMPLES
    sent = {each["body"]["id"]: each["body"] for each in receiver.wait_for("/genesys", len(SAMPLES))}
    for each in shown:
        assert (sent[each["id"]]["content"], sent[each["id"]]["type"]) == (each["content"], each["type"])
    assert {each["type"] for each in shown if each["content"][0]["contentType"] != "Attachment"} == {"Structured"}
    assert {each.get("originatingEntity") for each in sent.values() if each["type"] == "Structured"} == {"Bot"}


def test_a_question_stands_beside_its_answers_and_can_be_ones_own(sandbox: Sandbox) -> None:
    sandbox.control("/agent/messages", ONE | {"sample": "quick_replies"})
    sandbox.control("/agent/messages", ONE | {"sample": "quick_replies", "text": "And now?"})
    first, second = sandbox.desk()
    assert (first["text"], second["text"]) == ("Which day suits you?", "And now?")
    assert first["options"][0] == {"type": "QuickReply", "text": "Monday", "payload": "monday"}


def test_a_cards_picture_can_be_fetched(sandbox: Sandbox) -> None:
    sandbox.control("/agent/messages", ONE | {"sample": "card"})
    url = sandbox.desk()[0]["content"][0]["card"]["image"]
    picture = sandbox.http.get(url)
    assert (picture.content, picture.headers["Content-Type"]) == (sample("png").data, "image/png")


def card(**more: Any) -> dict[str, Any]:
    action = {"type": "Postback", "text": "Book", "payload": "book"}
    return {"contentType": "Card", "card": {"title": "Hut", "actions": [action]} | more}


REPLY = {"contentType": "QuickReply", "quickReply": {"text": "Monday", "payload": "mon"}}
FILE = {"contentType": "Attachment", "attachment": {"mediaType": "Link", "url": "https://x.example"}}
BUTTON = {"type": "QuickReply", "text": "Yes"}
BAD: dict[str, tuple[list[Any], str]] = {
    "not an object": (["Card"], "content.0.contentType: None is none of"),
    "unknown type": ([{"contentType": "RichLink", "richLink": {}}], "content.0.contentType: RichLink is none of"),
    "two contents in one": ([REPLY | {"text": {"body": "x"}}], "content.0: QuickReply has the fields"),
    "no payload": ([REPLY, REPLY | {"quickReply": {"text": "x"}}], "content.1.quickReply.payload"),
    "unknown field": ([card(colour="red")], "content.0.card.colour"),
    "no actions": ([card(actions=[])], "content.0.card.actions"),
    "action of no known type": ([card(actions=[{"type": "Call", "text": "x"}])], "content.0.card.actions.0.type"),
    "link without url": ([card(actions=[{"type": "Link", "text": "x"}])], "a Link needs url"),
    "the same button twice": ([card(actions=card()["card"]["actions"] * 2)], "unique"),
    "eleven cards": (
        [{"contentType": "Carousel", "carousel": {"cards": [card()["card"]] * 11}}],
        "content.0.carousel.cards",
    ),
    "a date in another form": (
        [{"contentType": "DatePicker", "datePicker": {"availableTimes": [{"dateTime": "tomorrow"}]}}],
        "content.0.datePicker.availableTimes.0.dateTime",
    ),
    "list row without id": (
        [{"contentType": "ListPicker", "listPicker": {"sections": [{"items": [{"title": "x"}]}]}}],
        "content.0.listPicker.sections.0.items.0.id",
    ),
    "template without namespace": (
        [{"contentType": "Notification", "template": {"id": "hello", "body": {"text": "x"}}}],
        "content.0.template.id",
    ),
    "template without body": ([{"contentType": "Notification", "template": {}}], "content.0.template.body"),
    "template button without index": (
        [{"contentType": "Notification", "template": {"body": {"text": "x"}, "buttons": [BUTTON]}}],
        "content.0.template.buttons.0.index",
    ),
    "a file among answers": ([FILE, REPLY], "an Attachment stands alone"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_genesys_cannot_compose_is_not_sent(sandbox: Sandbox, name: str) -> None:
    content, reason = BAD[name]
    answer = sandbox.http.post(f"{sandbox.url}/control/agent/messages", json=ONE | {"text": "x", "content": content})
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True), answer.text
    assert sandbox.control("/agent/contacts")["contacts"] == []


def test_a_text_holds_no_answers_and_names_of_samples_are_told(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/control/agent/messages"
    assert "Structured" in sandbox.http.post(url, json=ONE | {"type": "Text", "content": [REPLY]}).json()["error"]
    assert "Structured" in sandbox.http.post(url, json=ONE | {"type": "Event", "text": "x"}).json()["error"]
    assert "carousel" in sandbox.http.post(url, json=ONE | {"sample": "pigeon"}).json()["error"]


def test_what_genesys_may_send_one_day_goes_out_unchecked(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    odd = {"type": "Structured", "content": [{"contentType": "Hologram", "hologram": {"depth": 3}}]}
    sandbox.control("/agent/messages", ONE | {"message": odd})
    assert receiver.wait_for("/genesys", 1)[0]["body"]["content"] == odd["content"]


def answer(asked: str, kind: str, text: str, payload: str) -> dict[str, Any]:
    button = {"type": kind, "text": text, "payload": payload}
    return {"channel": channel(messageId="wamid.9"), "buttonResponse": button, "originatingMessageId": asked}


def test_only_a_structured_message_of_this_conversation_can_be_answered(sandbox: Sandbox) -> None:
    text = sandbox.control("/agent/messages", ONE | {"text": "Hello"})["id"]
    refused(sandbox.inject("structured/response", answer(text, "QuickReply", "x", "y")), 400, "invalid.value")
    asked = sandbox.control("/agent/messages", ONE | {"sample": "quick_replies"})["id"]
    tapped = answer(asked, "QuickReply", "Monday", "monday")
    other = tapped | {"channel": channel("contact-2")}
    refused(sandbox.inject("structured/response", other), 400, "invalid.value")
    assert sandbox.inject("structured/response", tapped).ok
    sandbox.control("/agent/contact-1/end", {"integration_id": INTEGRATION})
    refused(sandbox.inject("structured/response", tapped), 400, "invalid.value")
    assert [each["button_response"]["payload"] for each in sandbox.desk() if each["direction"] == "inbound"] == [
        "monday"
    ]


def test_an_answer_that_was_not_offered_is_a_finding(sandbox: Sandbox) -> None:
    asked = {
        name: sandbox.control("/agent/messages", ONE | {"sample": name})["id"]
        for name in ("quick_replies", "card", "list_picker", "date_picker")
    }
    time = sandbox.desk()[-1]["options"][0]["payload"]
    offered = [
        answer(asked["quick_replies"], "QuickReply", "Monday", "monday"),
        answer(asked["card"], "Button", "Book", "book-hut"),
        answer(asked["list_picker"], "QuickReply", "Courier, today", "courier"),
        answer(asked["date_picker"], "DatePicker", "Tomorrow at nine", time),
    ]
    assert all(sandbox.inject("structured/response", each).ok for each in offered)
    assert "unknown_payload" not in sandbox.control("/stats")["findings_count"]
    wrong = [
        answer(asked["quick_replies"], "QuickReply", "Monday", "tuesday"),
        answer(asked["quick_replies"], "QuickReply", "Mon…", "monday"),
        answer(asked["list_picker"], "QuickReply", "Courier", "Courier"),
    ]
    assert all(sandbox.inject("structured/response", each).ok for each in wrong)
    assert sandbox.control("/stats")["findings_count"]["unknown_payload"] == len(wrong)


def test_what_comes_with_a_message_is_shown(sandbox: Sandbox) -> None:
    for number in ("1", "2"):
        given = channel(
            messageId=f"wamid.{number}", metadata={"customAttributes": {"number": number, f"n{number}": "x"}}
        )
        assert sandbox.inject("message", {"channel": given, "text": "x" * 4_001 if number == "2" else "x"}).ok
    seen = sandbox.control(f"/agent/contact-1/messages?integration_id={INTEGRATION}")
    assert [each["custom_attributes"] for each in seen["messages"]] == [
        {"number": "1", "n1": "x"}, {"number": "2", "n2": "x"},
    ]  # fmt: skip
    assert seen["custom_attributes"] == {"number": "2", "n1": "x", "n2": "x"}
    assert sandbox.control("/stats")["findings_count"] == {"long_text": 1}


def test_a_vcard_can_be_read(sandbox: Sandbox) -> None:
    offered = sandbox.control("/agent/messages", {"contact": "contact-2", "sample": "vcf"})
    assert offered["id"]
    url = sandbox.desk("contact-2")[0]["attachment"]["url"]
    file = {"mediaType": "File", "url": url, "mime": "text/vcard", "filename": "Ada.vcf", "text": "A contact"}
    assert sandbox.inject("message", {"channel": channel(), "content": [{"attachment": file}]}).ok

    def fetched() -> dict[str, Any] | None:
        found = sandbox.desk()[0]["attachment"]
        return found if found["fetch"]["state"] == "fetched" else None

    kept = wait_until(fetched, message="the vCard to be fetched")
    assert kept is not None
    assert (kept["text"], kept["preview"].splitlines()[0]) == ("A contact", "BEGIN:VCARD")


def test_typing_shows_without_being_a_message(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    sandbox.control("/agent/messages", ONE | {"typing": True})
    assert sandbox.inject("event", {"channel": channel(), "events": [{"eventType": "Typing"}]}).ok
    (event,) = receiver.wait_for("/genesys", 1)
    assert (event["body"]["type"], "originatingEntity" in event["body"]) == ("Event", False)
    seen = sandbox.control(f"/agent/contact-1/messages?integration_id={INTEGRATION}")
    assert ([each["direction"] for each in seen["typing"]], seen["messages"]) == (["outbound", "inbound"], [])


def test_genesys_tells_that_a_customers_message_failed(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("/faults", {"genesys": {"published_receipts": False}})
    sandbox.subscribe(receiver)
    received = sandbox.inject_text("Hello").json()["id"]
    reasons = [{"code": "MediaTypeNotAllowed", "message": "not in the profile"}]
    sandbox.control("/agent/receipts", {"id": received, "status": "Failed", "reasons": reasons})
    told = receiver.wait_for("/genesys", 1)[0]["body"]
    assert (told["type"], told["id"], told["status"], told["reasons"]) == ("Receipt", received, "Failed", reasons)
    url = f"{sandbox.url}/control/agent/receipts"
    assert sandbox.http.post(url, json={"id": received, "status": "Read"}).status_code == 400
    assert sandbox.http.post(url, json={"id": "nothing"}).status_code == 404


def test_a_message_without_an_agent_begins_a_conversation(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    known = sandbox.inject_text("Hello", CUSTOMER).json()["conversationId"]
    body = {
        "fromAddress": INTEGRATION,
        "toAddress": CUSTOMER,
        "toAddressMessengerType": "open",
        "textBody": "Your parcel is here",
    }

    def post(**more: Any) -> Any:
        return sandbox.platform("POST", "/conversations/messages/agentless", json=body | more)

    going_on = post(useExistingActiveConversation=True)
    assert (going_on.status_code, going_on.json()["conversationId"]) == (202, known)
    assert post().json()["conversationId"] != known
    texts = [each["body"] for each in receiver.wait_for("/genesys", 3) if each["body"]["type"] == "Text"]
    assert [each["text"] for each in texts] == [body["textBody"]] * 2
    refused(post(textBody="x" * 2_001), 400, "bad.request")
    refused(post(textBody=""), 400, "bad.request")
    refused(post(toAddressMessengerType="sms"), 400, "invalid.value")
    refused(post(fromAddress="nothing"), 400, "invalid.value")
