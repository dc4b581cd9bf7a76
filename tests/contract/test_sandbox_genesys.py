"""The stand-in for Genesys is as strict as Genesys: login, Open Messaging, integrations, limits."""

from typing import Any

import pytest

from sandbox.samples import sample
from tests.contract.conftest import CLIENT, CLIENT_SECRET, INTEGRATION, Receiver, Sandbox, channel
from tests.contract.conftest import platform_refusal as refused
from tests.waiting import wait_until

MISSING = object()


def without(body: dict[str, Any], path: str, value: Any = MISSING) -> dict[str, Any]:
    """A copy with one field changed, or left out."""
    head, _, rest = path.partition(".")
    copy = dict(body)
    if rest:
        copy[head] = without(copy.get(head, {}), rest, value)
    elif value is MISSING:
        del copy[head]
    else:
        copy[head] = value
    return copy


def attachment(**more: Any) -> dict[str, Any]:
    file = {"mediaType": "Image", "url": "https://files.example/a.jpg", "mime": "image/jpeg"} | more
    return {"channel": channel(), "content": [{"contentType": "Attachment", "attachment": file}]}


MESSAGE: dict[str, Any] = {"channel": channel(messageId="wamid.1"), "text": "Hello"}
BAD_MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "no channel": (without(MESSAGE, "channel"), "bad.request"),
    "no sender": (without(MESSAGE, "channel.from"), "bad.request"),
    "no address": (without(MESSAGE, "channel.from.id"), "bad.request"),
    "empty address": (without(MESSAGE, "channel.from.id", ""), "bad.request"),
    "no address type": (without(MESSAGE, "channel.from.idType"), "bad.request"),
    "address type in the wrong case": (without(MESSAGE, "channel.from.idType", "opaque"), "invalid.value"),
    "no time": (without(MESSAGE, "channel.time"), "bad.request"),
    "time without zone": (without(MESSAGE, "channel.time", "2026-11-23T15:00:00"), "invalid.date"),
    "time as a number": (without(MESSAGE, "channel.time", 1764000000), "bad.request"),
    "neither text nor content": (without(MESSAGE, "text"), "bad.request"),
    "empty text": (without(MESSAGE, "text", ""), "bad.request"),
    "unknown field": (MESSAGE | {"conversationId": "x"}, "bad.request"),
    "nested metadata": (MESSAGE | {"metadata": {"a": {"b": "c"}}}, "bad.request"),
    "nested custom attributes": (
        without(MESSAGE, "channel.metadata", {"customAttributes": {"a": {"b": "c"}}}),
        "bad.request",
    ),
    "two attachments": (
        {"channel": channel(), "content": attachment()["content"] * 2},
        "bad.request",
    ),
    "media type not in the enum": (attachment(mediaType="Document"), "invalid.value"),
    "attachment without mime": (
        without(attachment(), "content", [{"attachment": {"mediaType": "Image", "url": "https://a.example"}}]),
        "bad.request",
    ),
    "attachment without url": (
        without(attachment(), "content", [{"attachment": {"mediaType": "Image", "mime": "image/png"}}]),
        "bad.request",
    ),
    "size on an inbound attachment": (attachment(contentSizeBytes=3), "bad.request"),
    "short digest": (attachment(sha256="abc"), "bad.request"),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_bad_message_is_refused(sandbox: Sandbox, name: str) -> None:
    body, code = BAD_MESSAGES[name]
    refused(sandbox.inject("message", body), 400, code)
    assert sandbox.control("/agent/contacts")["contacts"] == []


def test_a_message_is_answered_with_its_ids(sandbox: Sandbox) -> None:
    first = sandbox.inject("message", MESSAGE).json()
    assert len(first["id"]) == 32
    assert "conversationId" not in first
    assert first["channel"]["id"] == INTEGRATION
    again = sandbox.inject_text("More").json()
    elsewhere = sandbox.inject_text("Somebody else", "contact-2").json()
    assert again["conversationId"] != elsewhere["conversationId"]
    assert sandbox.inject_text("More").json()["conversationId"] == again["conversationId"]
    shown = sandbox.desk()
    assert [each["text"] for each in shown] == ["Hello", "More", "More"]
    assert shown[0]["channel_message_id"] == "wamid.1"
    details = sandbox.platform("GET", f"/conversations/messages/{first['id']}/details").json()
    assert details["conversationId"] == again["conversationId"]


def test_a_repeated_message_shows_twice_and_is_a_finding(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert sandbox.inject("message", MESSAGE).ok
    assert len(sandbox.desk()) == 2
    assert sandbox.control("/stats")["findings_count"] == {"repeated_message": 1}


def test_legacy_fields_are_ignored_but_noted(sandbox: Sandbox) -> None:
    assert sandbox.inject("message", MESSAGE | {"type": "Text", "direction": "Inbound"}).ok
    assert sandbox.control("/stats")["findings_count"] == {"ignored_fields": 1}


def test_size_and_content_type(sandbox: Sandbox) -> None:
    refused(sandbox.inject_text("x" * 512_001), 413, "request.entity.too.large")
    path = f"/conversations/messages/{INTEGRATION}/inbound/open/message"
    wrong = sandbox.platform("POST", path, data="{}", headers={"Content-Type": "text/plain"})
    refused(wrong, 415, "unsupported.media.type")
    refused(sandbox.platform("POST", path, data="{", headers={"Content-Type": "application/json"}), 400, "bad.request")


def test_login(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/genesys/login/oauth/token"
    form = {"grant_type": "client_credentials"}
    granted = sandbox.http.post(url, auth=(CLIENT, CLIENT_SECRET), data=form).json()
    assert (granted["token_type"], granted["expires_in"]) == ("bearer", 86400)
    wrong = sandbox.http.post(url, auth=(CLIENT, "wrong"), data=form)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert sandbox.http.post(url, auth=("nobody", "x"), data=form).json()["error"] == "invalid_client"
    assert sandbox.http.post(url, data=form).status_code == 400
    assert sandbox.http.post(url, auth=(CLIENT, CLIENT_SECRET), json=form).json()["error"] == "invalid_request"
    other = sandbox.http.post(url, auth=(CLIENT, CLIENT_SECRET), data={"grant_type": "password"})
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")


def test_authorization_code(sandbox: Sandbox) -> None:
    target = "http://127.0.0.1:9/callback"
    query = {"client_id": CLIENT, "response_type": "code", "redirect_uri": target, "state": "s1"}
    page = sandbox.http.get(f"{sandbox.url}/genesys/login/oauth/authorize", params=query, allow_redirects=False)
    assert (page.status_code, "Allow</button>" in page.text) == (200, True)
    sent = sandbox.http.post(
        f"{sandbox.url}/genesys/login/oauth/authorize", data=query | {"answer": "allow"}, allow_redirects=False
    )
    code = sent.headers["Location"].split("code=")[1].split("&")[0]
    assert sent.headers["Location"].endswith("state=s1")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": target}
    url = f"{sandbox.url}/genesys/login/oauth/token"
    assert "refresh_token" in sandbox.http.post(url, auth=(CLIENT, CLIENT_SECRET), data=form).json()
    assert sandbox.http.post(url, auth=(CLIENT, CLIENT_SECRET), data=form).json()["error"] == "invalid_grant"


def test_tokens_permissions_and_organisations(sandbox: Sandbox) -> None:
    path = f"{sandbox.url}/genesys/api/api/v2/conversations/messages/{INTEGRATION}/inbound/open/message"
    refused(sandbox.http.post(path, json=MESSAGE), 401, "authentication.required")
    refused(sandbox.http.post(path, json=MESSAGE, headers={"Authorization": "Bearer x"}), 401, "bad.credentials")
    refused(sandbox.inject("message", MESSAGE, integration="nothing"), 404, "not.found")
    other = {
        "integration_id": "other-1",
        "client_id": "c2",
        "client_secret": "s2",
        "webhook_secret": "0123456789abcdef",
        "organisation": "Other",
    }
    sandbox.control("/accounts", {"genesys": other})
    refused(sandbox.inject("message", MESSAGE, integration="other-1"), 404, "not.found")
    sandbox.control("/accounts", {"genesys": {"integration_id": INTEGRATION, "permissions": []}})
    try:
        refused(sandbox.inject("message", MESSAGE), 403, "missing.permissions")
    finally:
        receive = [f"conversation:message:{each}" for each in ("create", "receive", "view")]
        rights = [f"messaging:integration:{each}" for each in ("view", "add", "edit", "delete")]
        all_of_them = [*receive, *rights, "messaging:supportedContent:view"]
        sandbox.control("/accounts", {"genesys": {"integration_id": INTEGRATION, "permissions": all_of_them}})


def test_an_expired_token_is_refused_and_a_new_one_works(sandbox: Sandbox) -> None:
    sandbox.login()
    sandbox.control("/faults", {"genesys": {"token_expired": "until_renewed"}})
    refused(sandbox.inject("message", MESSAGE), 401, "credentials.expired")
    sandbox.login()
    assert sandbox.inject("message", MESSAGE).ok
    sandbox.control("/faults", {"genesys": {"token_expired": "for_good"}})
    sandbox.login()
    refused(sandbox.inject("message", MESSAGE), 401, "credentials.expired")


def test_300_calls_a_minute_and_token(sandbox: Sandbox) -> None:
    sandbox.control("/limits", {"genesys": {"per_minute": 3}})
    sandbox.login()
    assert [sandbox.inject("message", MESSAGE).status_code for _ in range(3)] == [200] * 3
    answer = sandbox.inject("message", MESSAGE)
    body = refused(answer, 429, "too.many.requests.retry.after")
    assert body["limit"]["key"] == "client.credentials.token.rate.per.minute"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    sandbox.login()
    assert sandbox.inject("message", MESSAGE).ok


def receipt(message_id: str, **more: Any) -> dict[str, Any]:
    body = {"id": message_id, "channel": {"to": {"id": "contact-1"}, "time": "2026-11-23T15:00:00.000Z"}}
    return body | {"status": "Delivered", "isFinalReceipt": True} | more


def test_receipts(sandbox: Sandbox) -> None:
    injected = sandbox.inject_text("Hello").json()["id"]
    reply = sandbox.control("/agent/messages", {"contact": "contact-1", "text": "Hello"})["id"]
    refused(sandbox.inject("receipt", receipt(injected)), 400, "invalid.value")
    refused(sandbox.inject("receipt", receipt("wamid.1")), 400, "invalid.value")
    for status in ("Read", "Sent", "Published", "delivered"):
        refused(sandbox.inject("receipt", receipt(reply, status=status)), 400, "invalid.value")
    wrong_address = receipt(reply, channel={"to": {"id": "contact-2"}, "time": "2026-11-23T15:00:00.000Z"})
    refused(sandbox.inject("receipt", wrong_address), 400, "invalid.value")
    odd = receipt(reply, status="Failed", reasons=[{"code": "Whatever", "message": "x"}])
    refused(sandbox.inject("receipt", odd), 400, "invalid.value")
    silent = receipt(reply, status="Failed", reasons=[{"code": "MessageExpired"}])
    refused(sandbox.inject("receipt", silent), 400, "bad.request")
    assert sandbox.inject("receipt", receipt(reply)).ok
    reasons = [{"code": "MessageExpired", "message": "131047"}]
    assert sandbox.inject("receipt", receipt(reply, status="Failed", reasons=reasons)).ok
    shown = sandbox.desk()[-1]
    assert (shown["status"], [each["status"] for each in shown["receipts"]]) == ("Failed", ["Delivered", "Failed"])
    assert shown["receipts"][1]["reasons"] == reasons


def test_events_know_typing_only(sandbox: Sandbox) -> None:
    body = {"channel": channel(), "events": [{"eventType": "Typing"}]}
    assert sandbox.inject("event", body).ok
    refused(sandbox.inject("event", body | {"events": [{"eventType": "Presence"}]}), 400, "invalid.value")
    refused(sandbox.inject("event", body | {"events": []}), 400, "bad.request")


def test_a_structured_response_answers_a_message_of_the_desk(sandbox: Sandbox) -> None:
    sandbox.inject_text("Hello")
    content = [{"contentType": "QuickReply", "quickReply": {"text": "Monday", "payload": "mon"}}]
    asked = sandbox.control("/agent/messages", {"contact": "contact-1", "text": "Which day?", "content": content})["id"]
    button = {"type": "QuickReply", "text": "Monday", "payload": "mon"}
    body = {"channel": channel(messageId="wamid.9"), "buttonResponse": button, "originatingMessageId": asked}
    refused(sandbox.inject("structured/response", body | {"originatingMessageId": "x"}), 400, "invalid.value")
    listed = body | {"buttonResponse": button | {"type": "ListPicker"}}
    refused(sandbox.inject("structured/response", listed), 400, "invalid.value")
    answer = sandbox.inject("structured/response", body).json()
    assert (answer["type"], answer["content"][0]["contentType"]) == ("Structured", "ButtonResponse")
    assert sandbox.desk()[-1]["button_response"]["payload"] == "mon"


def fetched(sandbox: Sandbox) -> dict[str, Any]:
    return wait_until(
        lambda: next(
            (each["attachment"] for each in sandbox.desk() if each["attachment"]["fetch"]["state"] != "waiting"), {}
        ),
        message="the attachment to be fetched",
    )


def test_genesys_fetches_the_attachment_and_keeps_a_copy(sandbox: Sandbox) -> None:
    sandbox.write("", type="image", sample=True)
    source = sandbox.url + sandbox.phone()["messages"][0]["media"]["url"]
    assert sandbox.inject("message", attachment(url=source, filename="a.jpg")).ok
    kept = fetched(sandbox)
    assert (kept["fetch"]["state"], kept["size"]) == ("fetched", len(sample("image").data))
    assert sandbox.http.get(sandbox.url + kept["copy"]).content == sample("image").data


def test_an_attachment_that_cannot_be_fetched_shows(sandbox: Sandbox) -> None:
    assert sandbox.inject("message", attachment(url=f"{sandbox.url}/nothing")).ok
    assert fetched(sandbox)["fetch"] == {"state": "failed", "http_status": 404, "error": "HTTP 404"}


def test_an_agents_attachment_is_offered_for_download(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    sandbox.control("/agent/messages", {"contact": "contact-1", "sample": "document"})
    offered = receiver.wait_for("/genesys", 1)[0]["body"]["content"][0]["attachment"]
    assert (offered["mediaType"], offered["mime"]) == ("File", "application/pdf")
    assert sandbox.http.get(offered["url"]).content == sample("document").data
    sandbox.control("/faults", {"genesys": {"download_needs_token": True}})
    refused(sandbox.http.get(offered["url"]), 401, "authentication.required")
    bearer = {"Authorization": f"Bearer {sandbox.login()}"}
    assert sandbox.http.get(offered["url"], headers=bearer).content == sample("document").data
    sandbox.control("/faults", {"genesys": {"download_needs_token": False, "media_404_rate": 1}})
    refused(sandbox.http.get(offered["url"]), 404, "not.found")
