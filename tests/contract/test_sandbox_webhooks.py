"""Webhooks leave the sandbox as the providers send them: shapes, signatures, retries, and trouble on demand."""

import base64
import hashlib
import hmac
import re
import time
from collections import Counter
from typing import Any

import pytest

from tests.contract.conftest import (
    APP_SECRET,
    CUSTOMER,
    INTEGRATION,
    NUMBER,
    WABA,
    WEBHOOK_SECRET,
    Receiver,
    Sandbox,
    items,
)
from tests.waiting import wait_until


@pytest.fixture
def subscribed(sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    sandbox.subscribe(receiver)
    return sandbox


def test_meta_signs_the_escaped_bytes_in_hex(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.write("Grüße an a@b.example / 👍", name="Ada")
    request = receiver.wait_for("/meta", 1)[0]
    expected = hmac.new(APP_SECRET.encode(), request["raw"], hashlib.sha256).hexdigest()
    assert request["signature"] == f"sha256={expected}"
    assert request["type"] == "application/json"
    assert request["raw"].isascii()
    assert rb"Gr\u00fc\u00dfe an a\u0040b.example \/ \ud83d\udc4d" in request["raw"]
    assert items([request], "messages")[0]["text"]["body"] == "Grüße an a@b.example / 👍"


def test_genesys_signs_in_base64(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.control("/agent/messages", {"contact": "contact-1", "text": "Grüße"})
    request = receiver.wait_for("/genesys", 1)[0]
    digest = hmac.new(WEBHOOK_SECRET.encode(), request["raw"], hashlib.sha256).digest()
    assert request["signature"] == "sha256=" + base64.b64encode(digest).decode()


def test_the_shape_of_a_customers_message(subscribed: Sandbox, receiver: Receiver) -> None:
    message_id = subscribed.write("Hello", name="Ada Brandt", user_id="DE.13491208655302741918", timestamp=1764000000)
    body = receiver.wait_for("/meta", 1)[0]["body"]
    assert body == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": WABA,
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {"display_phone_number": "49301234501", "phone_number_id": NUMBER},
                            "contacts": [
                                {
                                    "profile": {"name": "Ada Brandt"},
                                    "wa_id": CUSTOMER,
                                    "user_id": "DE.13491208655302741918",
                                }
                            ],
                            "messages": [
                                {
                                    "from": CUSTOMER,
                                    "from_user_id": "DE.13491208655302741918",
                                    "id": message_id,
                                    "timestamp": "1764000000",
                                    "type": "text",
                                    "text": {"body": "Hello"},
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    }


def test_a_customer_may_have_no_number(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.write("Hello", hide_phone=True, username="ada")
    value = receiver.wait_for("/meta", 1)[0]["body"]["entry"][0]["changes"][0]["value"]
    assert "from" not in value["messages"][0]
    assert "wa_id" not in value["contacts"][0]
    assert value["contacts"][0]["profile"]["username"] == "ada"
    assert value["messages"][0]["from_user_id"] == value["contacts"][0]["user_id"]


def test_any_shape_may_be_sent(subscribed: Sandbox, receiver: Receiver) -> None:
    changed = {"system": {"type": "user_changed_number", "wa_id": "4915199999999"}}
    subscribed.write("", type="system", message=changed)
    value = receiver.wait_for("/meta", 1)[0]["body"]["entry"][0]["changes"][0]["value"]
    assert "contacts" not in value
    assert value["messages"][0]["system"]["wa_id"] == "4915199999999"


def test_statuses_follow_a_message_and_carry_its_reference(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.write("Hello")
    sent = subscribed.send_text("Hello", biz_opaque_callback_data="our-1").json()["messages"][0]["id"]
    subscribed.wait_for_status(sent, "read")
    statuses = items(receiver.wait_for("/meta", 4), "statuses")
    assert [each["status"] for each in statuses] == ["sent", "delivered", "read"]
    assert {each["id"] for each in statuses} == {sent}
    assert {each["biz_opaque_callback_data"] for each in statuses} == {"our-1"}
    assert {each["recipient_id"] for each in statuses} == {CUSTOMER}
    assert all(re.fullmatch(r"\d{10}", each["timestamp"]) for each in statuses)
    assert ["pricing" in each for each in statuses] == [True, True, False]


def test_a_failed_status_has_metas_error(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.send_text("Nobody has written before")
    failed = items(receiver.wait_for("/meta", 1), "statuses")[0]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131047)
    assert set(failed["errors"][0]) == {"code", "title", "message", "error_data", "href"}


def test_the_shape_of_an_agents_reply(subscribed: Sandbox, receiver: Receiver) -> None:
    conversation = subscribed.inject_text("Hello").json()["conversationId"]
    published = receiver.wait_for("/genesys", 1)[0]["body"]
    assert (published["type"], published["status"], published["direction"]) == ("Receipt", "Published", "Inbound")
    message_id = subscribed.control("/agent/messages", {"contact": "contact-1", "text": "Hi"})["id"]
    body = receiver.wait_for("/genesys", 2)[1]["body"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["channel"].pop("time"))
    assert body == {
        "id": message_id,
        "channel": {
            "id": INTEGRATION,
            "platform": "Open",
            "type": "Private",
            "to": {"id": "contact-1", "idType": "Opaque"},
            "from": {"nickname": "WhatsApp Nordwind", "id": INTEGRATION, "idType": "Opaque"},
            "messageId": message_id,
        },
        "type": "Text",
        "text": "Hi",
        "originatingEntity": "Human",
        "direction": "Outbound",
        "conversationId": conversation,
    }


def test_meta_repeats_at_once_until_it_hears_200(subscribed: Sandbox, receiver: Receiver) -> None:
    answers = iter([500, 204])
    receiver.answer = lambda request: next(answers, 200)
    began = time.time()
    subscribed.write("Hello")
    tries = receiver.wait_for("/meta", 3)
    assert [each["answered"] for each in tries] == [500, 204, 200]
    assert len({each["raw"] for each in tries}) == 1
    hook = wait_until(
        lambda: (
            subscribed.phone()["messages"][0]["webhook"]["state"] == "delivered"
            and subscribed.phone()["messages"][0]["webhook"]
        ),
        message="the webhook to count as delivered",
    )
    assert hook["attempts"] == 3
    assert began <= hook["posted_at"] < hook["answered_at"] <= time.time()


def test_genesys_gives_up_on_a_refusal_and_repeats_after_five_seconds_on_a_fault(
    subscribed: Sandbox, receiver: Receiver
) -> None:
    answers = iter([401, 503])
    receiver.answer = lambda request: next(answers, 202)
    refused = subscribed.control("/agent/messages", {"contact": "contact-1", "text": "refused"})["id"]
    receiver.wait_for("/genesys", 1)
    repeated = subscribed.control("/agent/messages", {"contact": "contact-1", "text": "repeated"})["id"]
    tries = receiver.wait_for("/genesys", 3)
    assert [(each["body"]["id"], each["answered"]) for each in tries] == [
        (refused, 401),
        (repeated, 503),
        (repeated, 202),
    ]
    assert subscribed.desk()[0]["webhook"]["state"] == "given up"


def write_many(sandbox: Sandbox, count: int, customers: int = 20, **more: Any) -> list[str]:
    numbers = [str(4915100000000 + index % customers) for index in range(count)]
    messages = [{"from": number, "text": str(index)} | more for index, number in enumerate(numbers)]
    return sandbox.control("/phone/messages", {"messages": messages})["ids"]


def per_conversation(messages: list[dict[str, Any]]) -> dict[str, list[int]]:
    order: dict[str, list[int]] = {}
    for each in messages:
        order.setdefault(each["from"], []).append(int(each["text"]["body"]))
    return order


def test_each_conversation_is_in_order_by_default(subscribed: Sandbox, receiver: Receiver) -> None:
    ids = write_many(subscribed, 400)
    messages = items(receiver.wait_for("/meta", 400), "messages")
    assert Counter(each["id"] for each in messages) == Counter(ids)
    assert all(order == sorted(order) for order in per_conversation(messages).values())


def quiet(sandbox: Sandbox) -> dict[str, int]:
    counts = sandbox.control("/stats")["meta"]["webhooks"]
    return {} if counts["waiting"] else counts


def test_batches_hold_updates_of_several_numbers(subscribed: Sandbox, receiver: Receiver) -> None:
    second = {
        "phone_number_id": "300000000000003",
        "waba_id": "200000000000003",
        "access_token": "EAAG-third",
        "app_id": "100000000000001",
        "subscribed": True,
    }
    subscribed.control("/accounts", {"whatsapp": second})
    subscribed.control("/faults", {"meta": {"batch": {"max": 60, "wait_ms": 60_000}}})
    ids = write_many(subscribed, 60) + write_many(subscribed, 60, to="300000000000003")
    receiver.wait_for("/meta", 2)
    ids += write_many(subscribed, 30) + write_many(subscribed, 30, to="300000000000003")
    posts = receiver.wait_for("/meta", 3)
    assert [len(items([each], "messages")) for each in posts] == [60, 60, 60]
    entries = posts[2]["body"]["entry"]
    assert {entry["id"]: entry["changes"][0]["value"]["metadata"]["phone_number_id"] for entry in entries} == {
        WABA: NUMBER,
        "200000000000003": "300000000000003",
    }
    assert Counter(each["id"] for each in items(posts, "messages")) == Counter(ids)
    assert subscribed.control("/stats")["meta"]["webhooks"]["batched"] == 180


def test_a_batch_that_is_not_full_leaves_when_its_time_is_up(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.control("/faults", {"meta": {"batch": {"max": 60, "wait_ms": 100}}})
    (written,) = write_many(subscribed, 1)
    assert [each["id"] for each in items(receiver.wait_for("/meta", 1), "messages")] == [written]


def test_duplicates_are_the_same_bytes_twice(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.control("/faults", {"meta": {"duplicate_rate": 1, "seed": 1}})
    ids = write_many(subscribed, 20)
    posts = receiver.wait_for("/meta", 40)
    assert Counter(each["id"] for each in items(posts, "messages")) == Counter(ids * 2)
    assert set(Counter(each["raw"] for each in posts).values()) == {2}
    counts = wait_until(lambda: quiet(subscribed), message="the last webhook to be answered")
    assert (counts["duplicated"], counts["delivered"], counts["posts"]) == (20, 20, 40)


def test_neighbours_are_swapped_only_if_the_providers_clock_tells_them_apart(
    subscribed: Sandbox, receiver: Receiver
) -> None:
    subscribed.control("/faults", {"meta": {"reorder": {"rate": 1, "window_ms": 60_000}}})
    same, other = 1764000000, 1764000001
    for index, stamp in enumerate((same, same, same, other)):
        subscribed.write(str(index), timestamp=stamp)
    messages = items(receiver.wait_for("/meta", 4), "messages")
    assert [each["text"]["body"] for each in messages] == ["0", "1", "3", "2"]
    assert subscribed.control("/stats")["meta"]["webhooks"]["swapped"] == 1


def test_what_is_held_for_a_swap_leaves_when_the_window_is_over(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.control("/faults", {"genesys": {"reorder": {"rate": 1, "window_ms": 100}}})
    subscribed.control("/agent/messages", {"contact": "contact-1", "text": "alone"})
    receiver.wait_for("/genesys", 1)
    assert subscribed.control("/stats")["genesys"]["webhooks"]["swapped"] == 0


def test_a_reset_drops_what_waits_and_keeps_the_accounts(subscribed: Sandbox, receiver: Receiver) -> None:
    receiver.answer = lambda request: 503
    subscribed.write("Hello")
    receiver.wait_for("/meta", 2)
    before = subscribed.control("/accounts")
    subscribed.control("/reset", {})
    assert subscribed.control("/accounts") == before
    assert subscribed.control("/stats")["meta"]["webhooks"]["waiting"] == 0
    assert subscribed.phone()["messages"] == []
