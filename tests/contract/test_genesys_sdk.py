"""Genesys' own SDK speaks to the stand-in, and its model classes read all that the stand-in says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from tests.contract.conftest import CLIENT, CLIENT_SECRET, INTEGRATION, Receiver, Sandbox, channel
from tests.contract.sdk_models import problems
from tests.waiting import PATIENCE

ROOT = Path(__file__).parent.parent.parent
MESSAGE, RECEIPT = "post_conversations_message_inbound_open_message", "post_conversations_message_inbound_open_receipt"
RESPONSE = "post_conversations_message_inbound_open_structured_response"
ATTACHMENT = {"mediaType": "Image", "url": "https://files.example/a.jpg", "mime": "image/jpeg", "text": "a hut"}


class Sdk:
    """One call at a time; what it answers has been through the SDK's model classes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def refused(self, method: str, *args: str, **more: Any) -> tuple[int, str]:
        answer = self._say(method, *args, **more)
        return answer["status"], answer["refused"]["code"]

    def call(self, model: str, method: str, *args: str, **more: Any) -> dict[str, Any]:
        answer = self._say(method, *args, **more)
        assert answer.get("model") == model, answer
        assert "outdated_sdk_version" not in json.dumps(answer), "a value that the SDK does not know"
        return answer["value"]

    def _say(
        self,
        method: str,
        *args: str,
        body: tuple[str, dict[str, Any]] | None = None,
        ids: list[str] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        call: dict[str, Any] = {"method": method, "args": args, "options": options}
        if ids is not None:  # a body that is no model, but a list
            options["body"] = ids
        if body is not None:
            call |= {"model": body[0], "body": body[1]}
        assert self._process.stdin and self._process.stdout
        with gevent.Timeout(PATIENCE, TimeoutError(f"{method} takes longer than {PATIENCE:g} seconds")):
            self._process.stdin.write(json.dumps(call) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, f"the SDK has ended during {method}"
        return json.loads(line)


@pytest.fixture(scope="module")
def sdk_process(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[subprocess.Popen[str]]":
    """Its own home: the SDK reads a file there, and watches the folder."""
    command = [sys.executable, "-m", "tests.contract.genesys_sdk_process", sandbox_url, CLIENT, CLIENT_SECRET]
    environment = os.environ | {"HOME": str(tmp_path_factory.mktemp("home"))}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def sdk(sandbox: Sandbox, sdk_process: "subprocess.Popen[str]") -> Sdk:
    return Sdk(sdk_process)


def inbound(**more: Any) -> tuple[str, dict[str, Any]]:
    return "OpenInboundNormalizedMessage", {"channel": channel(messageId="wamid.1")} | more


def test_the_sdk_posts_messages_with_and_without_prefetch(sandbox: Sandbox, sdk: Sdk) -> None:
    model = "OpenMessageNormalizedMessage"
    first = sdk.call(model, MESSAGE, INTEGRATION, body=inbound(text="Hello", metadata={"a": "b"}))
    assert (first["type"], first["text"], first["metadata"]) == ("Text", "Hello", {"a": "b"})
    assert (first["channel"]["id"], first["channel"]["platform"]) == (INTEGRATION, "Open")
    assert "conversationId" not in first
    again = sdk.call(model, MESSAGE, INTEGRATION, body=inbound(text="More"), prefetch_conversation_id=True)
    assert again["conversationId"]
    picture = sdk.call(model, MESSAGE, INTEGRATION, body=inbound(content=[{"attachment": ATTACHMENT}]))
    assert picture["content"][0]["attachment"]["mediaType"] == "Image"
    assert [each["id"] for each in sandbox.desk()] == [first["id"], again["id"], picture["id"]]
    found = sdk.call("MessageData", "get_conversations_message_details", first["id"])
    assert (found["conversationId"], found["direction"], found["messengerType"], found["status"]) == (
        again["conversationId"], "inbound", "open", "received",
    )  # fmt: skip


def test_the_sdk_reads_a_conversation_and_its_texts(sandbox: Sandbox, sdk: Sdk) -> None:
    first = sdk.call(
        "OpenMessageNormalizedMessage", MESSAGE, INTEGRATION, body=inbound(text="Hello"), prefetch_conversation_id=True
    )
    reply = sandbox.control("/agent/messages", {"contact": "contact-1", "text": "How can I help?"})["id"]
    conversation = first["conversationId"]
    found = sdk.call("MessageConversation", "get_conversations_message", conversation)
    told = {one["purpose"]: [each["messageId"] for each in one["messages"]] for one in found["participants"]}
    assert told == {"customer": [first["id"]], "agent": [reply]}
    one = sdk.call("MessageData", "get_conversations_message_message", conversation, reply)
    assert (one["normalizedMessage"]["text"], one["createdBy"]["name"]) == ("How can I help?", "Ana Sandbox")
    method = "post_conversations_message_messages_bulk"
    texts = sdk.call("TextMessageListing", method, conversation, ids=[first["id"], reply])
    assert [each["direction"] for each in texts["entities"]] == ["inbound", "outbound"]


def test_the_sdk_is_refused_as_by_genesys(sandbox: Sandbox, sdk: Sdk) -> None:
    assert sdk.refused(MESSAGE, INTEGRATION, body=inbound()) == (400, "bad.request")
    assert sdk.refused(MESSAGE, "nothing", body=inbound(text="x")) == (404, "not.found")


def test_the_sdk_reports_receipts_and_typing(sandbox: Sandbox, sdk: Sdk) -> None:
    reply = sandbox.control("/agent/messages", {"contact": "contact-1", "text": "Hello"})["id"]
    told = {"to": {"id": "contact-1", "idType": "Opaque"}, "time": "2026-11-23T15:00:00.000Z"}
    reasons = [{"code": "MessageExpired", "message": "131047"}]
    body = {"id": reply, "channel": told, "status": "Failed", "reasons": reasons, "isFinalReceipt": True}
    answer = sdk.call("OpenReceiptNormalizedMessage", RECEIPT, INTEGRATION, body=("OpenInboundNormalizedReceipt", body))
    assert (answer["status"], answer["reasons"], answer["isFinalReceipt"]) == ("Failed", reasons, True)
    event = {"channel": channel(), "events": [{"eventType": "Typing"}]}
    typed = sdk.call(
        "OpenEventNormalizedMessage",
        "post_conversations_message_inbound_open_event",
        INTEGRATION,
        body=("OpenInboundNormalizedEvent", event),
    )
    assert typed["events"] == [{"eventType": "Typing"}]
    found = sdk.call("MessageData", "get_conversations_message_details", reply)
    assert (found["status"], found["normalizedReceipts"][0]["reasons"]) == ("delivery-failed", reasons)


def test_the_sdk_answers_a_structured_message(sandbox: Sandbox, sdk: Sdk) -> None:
    asked = sandbox.control("/agent/messages", {"contact": "contact-1", "sample": "card"})["id"]
    button = {"type": "Button", "text": "Book", "payload": "book-hut"}
    body = {"channel": channel(messageId="wamid.2"), "buttonResponse": button, "originatingMessageId": asked}
    answer = sdk.call(
        "OpenStructuredResponseNormalizedMessage",
        RESPONSE,
        INTEGRATION,
        body=("OpenInboundStructuredResponseMessage", body),
    )
    assert answer["content"] == [{"contentType": "ButtonResponse", "buttonResponse": button}]
    assert sandbox.desk()[-1]["button_response"] == button | {"originating_message_id": asked}


def test_the_sdk_sends_without_an_agent(sandbox: Sandbox, sdk: Sdk, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    body = {
        "fromAddress": INTEGRATION,
        "toAddress": "contact-7",
        "toAddressMessengerType": "open",
        "textBody": "Your parcel is here",
    }
    sent = sdk.call(
        "SendAgentlessOutboundMessageResponse",
        "post_conversations_messages_agentless",
        body=("SendAgentlessOutboundMessageRequest", body),
    )
    emitted = receiver.wait_for("/genesys", 1)[0]["body"]
    assert (emitted["id"], emitted["text"], emitted["conversationId"]) == (
        sent["id"], body["textBody"], sent["conversationId"],
    )  # fmt: skip


def test_the_sdk_reads_how_the_integration_is_set_up(sandbox: Sandbox, sdk: Sdk) -> None:
    listed = sdk.call("OpenIntegrationEntityListing", "get_conversations_messaging_integrations_open")
    assert INTEGRATION in [each["id"] for each in listed["entities"]]
    one = sdk.call("OpenIntegration", "get_conversations_messaging_integrations_open_integration_id", INTEGRATION)
    assert (one["status"], one["createStatus"]) == ("Active", "Completed")
    profiles = sdk.call("SupportedContentListing", "get_conversations_messaging_supportedcontent")
    assert one["supportedContent"]["id"] in [each["id"] for each in profiles["entities"]]
    profile = sdk.call(
        "SupportedContent",
        "get_conversations_messaging_supportedcontent_supported_content_id",
        one["supportedContent"]["id"],
    )
    assert profile["mediaTypes"]["allow"]["inbound"]


def test_every_webhook_of_the_desk_is_a_message_to_the_sdk(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    known = sandbox.control("/agent/samples")
    contact = {"contact": "contact-1"}
    many = [contact | {"sample": name} for name in [*known["files"], *known["content"]]]
    sandbox.control("/agent/messages", {"messages": [*many, contact | {"text": "Hello"}, contact | {"typing": True}]})
    refused = sandbox.inject_text("Hello").json()["id"]
    reasons = [{"code": "MediaTypeNotAllowed", "message": "not in the profile"}]
    sandbox.control("/agent/receipts", {"id": refused, "status": "Failed", "reasons": reasons})
    seen = [each["body"] for each in receiver.wait_for("/genesys", len(many) + 4)]
    assert {each["type"] for each in seen} == {"Text", "Structured", "Event", "Receipt"}
    assert {each["id"]: problems("ConversationNormalizedMessage", each) for each in seen} == {
        each["id"]: [] for each in seen
    }


def test_every_answer_of_the_platform_is_in_the_contract(sandbox: Sandbox) -> None:
    """The SDK drops what it does not know: here nothing may be left over."""
    message = sandbox.inject_text("Hello", metadata={"a": "b"}).json()
    asked = sandbox.control("/agent/messages", {"contact": "contact-1", "sample": "quick_replies"})["id"]
    button = {"type": "QuickReply", "text": "Monday", "payload": "monday"}
    body = {"channel": channel(messageId="wamid.2"), "buttonResponse": button, "originatingMessageId": asked}
    told = {"to": {"id": "contact-1", "idType": "Opaque"}, "time": "2026-11-23T15:00:00.000Z"}
    receipt = {"id": asked, "channel": told, "status": "Delivered"}
    event = {"channel": channel(), "events": [{"eventType": "Typing"}]}
    files = {"channel": channel(), "content": [{"attachment": ATTACHMENT}]}
    details = sandbox.platform("GET", f"/conversations/messages/{asked}/details").json()
    answers = [
        ("OpenMessageNormalizedMessage", message),
        ("OpenMessageNormalizedMessage", sandbox.inject("message", files).json()),
        ("OpenStructuredResponseNormalizedMessage", sandbox.inject("structured/response", body).json()),
        ("OpenReceiptNormalizedMessage", sandbox.inject("receipt", receipt).json()),
        ("OpenEventNormalizedMessage", sandbox.inject("event", event).json()),
        ("MessageData", details),
    ]
    for model, answer in answers:
        assert problems(model, answer) == []


def test_the_checker_finds_what_is_wrong() -> None:
    file = {"mediaType": "image", "url": "https://x.example/a"}
    body = {"channel": channel(time="today"), "text": 3, "content": [{"attachment": file}], "conversationId": "x"}
    assert sorted(problems("OpenInboundNormalizedMessage", body)) == [
        "OpenInboundNormalizedMessage.channel.messageId: missing",
        "OpenInboundNormalizedMessage.channel.time: 'today' is no time",
        "OpenInboundNormalizedMessage.content.0.attachment.mediaType: "
        "'image' is none of Image, Video, Audio, File, Link",
        "OpenInboundNormalizedMessage.content.0.attachment.mime: missing",
        "OpenInboundNormalizedMessage.conversationId: unknown field",
        "OpenInboundNormalizedMessage.text: 3 is no str",
    ]
