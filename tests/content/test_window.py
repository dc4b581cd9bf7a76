"""The 24-hour window: known before sending, told to the agent, and what the line may send instead."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest
import requests

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import PATIENCE, wait_until

numbers = count(4915500000001)
YESTERDAY = 25 * 3600
TEMPLATES = [
    {"name": "reply_waiting", "language": "en", "body": "We have an answer for you: {{1}}"},
    {"name": "hello_again", "language": "en", "body": "Hello again! May we go on with our conversation?"},
    {"name": "order_update", "language": "en", "body": "{{1}}, your order {{2}} is on its way."},
]


def line_with(installation: Installation, name: str, **settings: Any) -> Line:
    line = installation.tenant(name, settings=settings)[0]
    account = {"whatsapp": {"phone_number_id": line.phone_number_id, "templates": TEMPLATES}}
    installation.control("POST", "/accounts", account)
    return line


@pytest.fixture(scope="module")
def bare(installation: Installation) -> Line:
    return line_with(installation, "Window")


@pytest.fixture(scope="module")
def filled(installation: Installation) -> Line:
    """Its template holds what the agent wrote."""
    template = {"name": "reply_waiting", "language": "en", "parameters": ["{text}"]}
    return line_with(installation, "Window filled", window_template=template)


@pytest.fixture(scope="module")
def inviting(installation: Installation) -> Line:
    """Its template only asks the customer to write."""
    return line_with(installation, "Window inviting", window_template={"name": "hello_again", "language": "en"})


def late(installation: Installation, line: Line) -> Chat:
    """A customer whose last message is more than a day old."""
    chat = Chat(installation, line, str(next(numbers)))
    chat.writes("that was yesterday", timestamp=int(time.time()) - YESTERDAY)
    chat.agent_reads_in_time("that was yesterday")
    return chat


def failed(chat: Chat, source_id: str) -> dict[str, Any]:
    wait_until(lambda: "Failed" in chat.told(source_id), message="Genesys to be told Failed")
    reason: dict[str, Any] = chat.receipts(source_id)[-1]["reasons"][0]
    return reason


def test_a_message_that_comes_too_late_fails_with_the_reason_and_never_leaves(
    installation: Installation, bare: Line
) -> None:
    chat = late(installation, bare)
    sent = chat.answers("are you still there?")
    reason = failed(chat, sent)
    assert reason["code"] == "MessageExpired"
    assert "24 hours" in reason["message"]
    assert chat.on_the_phone() == []
    assert installation.row(sent)["attempts"] == 0, "known before sending"


def test_the_state_api_tells_when_the_window_ends(installation: Installation, bare: Line) -> None:
    open_chat, closed = Chat(installation, bare, str(next(numbers))), late(installation, bare)
    open_chat.opened()

    def window(chat: Chat) -> dict[str, Any]:
        path = f"/state/mapping/{chat.wa_id}?phone_number_id={bare.phone_number_id}"
        found: dict[str, Any] = installation.api("GET", path, tenant=bare.tenant_id)["window"]
        return found

    assert window(open_chat)["open"] is True
    assert window(open_chat)["until"] > window(closed)["until"]
    assert window(closed)["open"] is False


def test_the_customers_next_message_opens_it_again(installation: Installation, bare: Line) -> None:
    chat = late(installation, bare)
    failed(chat, chat.answers("too late"))
    chat.writes("I am back")
    chat.agent_reads_in_time("that was yesterday", "I am back")
    chat.answers("welcome back")
    chat.phone_reads_in_time("welcome back")


def test_the_lines_template_carries_the_text_where_it_has_room_for_it(installation: Installation, filled: Line) -> None:
    chat = late(installation, filled)
    sent = [chat.answers("your parcel is here"), chat.answers("since\nnoon")]
    chat.phone_reads_in_time("We have an answer for you: your parcel is here", "We have an answer for you: since noon")
    wait_until(lambda: all(chat.told(one) == ["Delivered"] for one in sent), message="Delivered, and nothing else")


def test_a_template_without_the_text_goes_out_once_and_the_agent_is_told_the_truth(
    installation: Installation, inviting: Line
) -> None:
    chat = late(installation, inviting)
    first = chat.answers("your parcel is here")
    reason = failed(chat, first)
    assert "hello_again goes out instead" in reason["message"]
    second = chat.answers("since noon")
    failed(chat, second)
    chat.phone_reads_in_time("Hello again! May we go on with our conversation?")
    installation.wait_for(first, "delivered", "read")
    assert [one["type"] for one in chat.on_the_phone()] == ["template"]
    assert chat.told(first) == ["Failed"], "what was delivered is not what the agent wrote"

    chat.writes("yes please")
    chat.agent_reads_in_time("that was yesterday", "yes please")
    chat.answers("your parcel is here since noon")
    wait_until(lambda: chat.phone_reads()[-1] == "your parcel is here since noon", message="the answer")


def test_what_only_meta_knew_to_be_closed_fails_or_becomes_the_template_too(
    installation: Installation, bare: Line, filled: Line
) -> None:
    """Somebody who never wrote to us may have an open window all the same: that is Meta's to say."""
    without, with_template = (Chat(installation, line, str(next(numbers))) for line in (bare, filled))
    assert failed(without, without.answers("good day"))["code"] == "MessageExpired"
    sent = with_template.answers("good day")
    with_template.phone_reads_in_time("We have an answer for you: good day")
    wait_until(lambda: with_template.told(sent) == ["Delivered"], message="Delivered, and nothing else")


def test_an_agent_sends_a_template_by_the_convention(installation: Installation, bare: Line) -> None:
    chat = late(installation, bare)
    sent = chat.answers("/template order_update en\nAda\n4711")
    chat.phone_reads_in_time("Ada, your order 4711 is on its way.")
    wait_until(lambda: chat.told(sent) == ["Delivered"], message="Delivered")


def test_a_template_that_cannot_be_read_or_does_not_exist_fails_with_what_to_do(
    installation: Installation, bare: Line
) -> None:
    chat = late(installation, bare)
    unreadable = failed(chat, chat.answers("/template"))
    assert unreadable["code"] == "InvalidMessageStructure"
    assert "/template" in unreadable["message"]
    assert "132001" in failed(chat, chat.answers("/template no_such_thing en"))["message"]


def test_a_late_text_goes_out_directly_and_where_that_is_refused_as_the_template(installation: Installation) -> None:
    template = {"name": "reply_waiting", "language": "en", "parameters": ["{text}"]}
    line = line_with(installation, "Window direct", direct_send=True, window_template=template)
    chat = late(installation, line)
    sent = chat.answers("Your parcel is here")
    chat.phone_reads_in_time("We have an answer for you: Your parcel is here")
    wait_until(lambda: chat.told(sent) == ["Delivered"], message="Delivered")
    installation.control("POST", "/limits", {"meta": {"direct_send": True}})
    chat = late(installation, line)
    sent = chat.answers("Your parcel arrives on Friday")
    chat.phone_reads_in_time("Your parcel arrives on Friday")
    wait_until(lambda: chat.told(sent) == ["Delivered"], message="Delivered")


def test_what_does_not_fit_the_template_fails_with_a_sentence_and_never_leaves(
    installation: Installation, bare: Line
) -> None:
    path = f"/api/tenants/{bare.tenant_id}/lines/{bare.id}/templates?q=order"
    wait_until(lambda: installation.api("GET", path)["items"], message="the list of templates")
    chat = late(installation, bare)
    reason = failed(chat, chat.answers("/template order_update en\nAda"))
    assert reason["code"] == "InvalidMessageStructure"
    assert "the template order_update (en) needs a value for {{2}} in its body" in reason["message"]
    assert chat.on_the_phone() == []


def test_a_template_goes_out_through_the_api(installation: Installation, bare: Line) -> None:
    chat = late(installation, bare)
    template = {"name": "order_update", "language": "en", "parameters": ["Ada", "4711"]}
    body = {"to": chat.wa_id, "phone_number_id": bare.phone_number_id, "type": "template", "template": template}
    sent = installation.api("POST", "/whatsapp/send", body, tenant=bare.tenant_id)
    assert sent["status"] in ("sent", "delivered", "read")
    chat.phone_reads_in_time("Ada, your order 4711 is on its way.")
    too_late = {"to": chat.wa_id, "phone_number_id": bare.phone_number_id, "text": "too late"}
    answer = installation.api("POST", "/whatsapp/send", too_late, tenant=bare.tenant_id)
    assert (answer["status"], answer["reason_code"]) == ("failed", "window_closed")


def test_templates_have_to_be_whole(installation: Installation, bare: Line) -> None:
    headers = {"Authorization": f"Bearer {installation.env['ADMIN_API_KEY']}", "X-Tenant-ID": bare.tenant_id}
    body = {"to": "4915500000000", "phone_number_id": bare.phone_number_id, "type": "template"}
    url = installation.env["PUBLIC_URL"] + "/whatsapp/send"
    assert requests.post(url, json=body, headers=headers, timeout=PATIENCE).status_code == 400
