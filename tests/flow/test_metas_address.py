"""A client library that is not ours, pywa, sends through the relay: only the address and the token are others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import pywa
import requests
from pywa import errors, types
from pywa.types.templates import BodyText, TemplateLanguage

from sandbox.samples import sample
from tests.content.rows_outbound import titles
from tests.content.rows_programs import file
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

TEMPLATE = {"name": "reply_waiting", "language": "en", "body": "We have an answer for you: {{1}}"}
LATER = {"messaging_product": "whatsapp", "to": "+4917800000090", "type": "text", "text": {"body": "later"}}


@pytest.fixture(scope="module")
def own(installation: Installation) -> Line:
    [line] = installation.tenant("Libraries")
    account = {"whatsapp": {"phone_number_id": line.phone_number_id, "templates": [TEMPLATE]}}
    installation.control("POST", "/accounts", account)
    return line


@pytest.fixture(scope="module")
def key(installation: Installation, own: Line) -> str:
    body = {"name": "order system", "scopes": ["messages:send", "messages:read"]}
    made: str = installation.api("POST", f"/api/tenants/{own.tenant_id}/keys", body)["key"]
    return made


@pytest.fixture
def client(installation: Installation, own: Line, key: str) -> Iterator[pywa.WhatsApp]:
    with httpx.Client(trust_env=False) as session:
        made = pywa.WhatsApp(own.phone_number_id, key, session=session, api_version=25.0)
        session.base_url = f"{installation.env['PUBLIC_URL']}/v25.0"
        yield made


@pytest.fixture
def post(installation: Installation, own: Line, key: str) -> Callable[..., requests.Response]:
    def ask(body: Any, number: str | None = None, **headers: str) -> requests.Response:
        url = f"{installation.env['PUBLIC_URL']}/v25.0/{number or own.phone_number_id}/messages"
        return requests.post(url, json=body, headers={"Authorization": f"Bearer {key}"} | headers, timeout=30)

    return ask


def said(*values: Any) -> Any:
    """A template's numbered values; pywa's own type names the template's side of it."""
    return BodyText.params(*values)


def newest(chat: Chat, how_many: int) -> dict[str, Any]:
    wait_until(lambda: len(chat.on_the_phone()) == how_many, message="the phone to show it", interval=0.1)
    return chat.on_the_phone()[-1]


def test_a_library_sends_what_it_knows_in_order(installation: Installation, own: Line, client: pywa.WhatsApp) -> None:
    chat = Chat(installation, own, "4917800000001").opened()
    first = client.send_message(chat.wa_id, "one")
    assert newest(chat, 1)["id"] == first.id, "WhatsApp's own id"
    client.send_image(chat.wa_id, file(chat, "image"), caption="two")
    assert newest(chat, 2)["media"]["mime_type"] == "image/jpeg"
    client.send_template(
        chat.wa_id, "reply_waiting", TemplateLanguage.ENGLISH, params=[said("three")]
    )  # fmt: skip
    assert newest(chat, 3)["text"] == "We have an answer for you: three"
    buttons = [types.Button("Yes", "yes"), types.Button("No", "no")]
    client.send_message(chat.wa_id, "four?", buttons=buttons, tracker="order 4711", reply_to_message_id=first.id)
    assert (titles(newest(chat, 4)), newest(chat, 4)["context"]["message_id"]) == (["Yes", "No"], first.id)
    rows = types.SectionList("Choose", [types.Section("Days", [types.SectionRow("Monday", "mon")])])
    client.send_message(chat.wa_id, "five?", buttons=rows)
    assert titles(newest(chat, 5)) == ["Monday"]
    written = chat.sent_by_phone()[0]["id"]
    client.send_reaction(chat.wa_id, "👍", written)
    wait_until(lambda: chat.sent_by_phone()[0]["reactions"], message="the sign at the customer's message")
    listed = installation.api("GET", "/api/messages?direction=outbound", tenant=own.tenant_id)["items"]
    assert "order 4711" in [one["callback_data"] for one in listed]


def test_read_marks_and_uploads_go_to_meta(installation: Installation, own: Line, client: pywa.WhatsApp) -> None:
    chat = Chat(installation, own, "4917800000002").opened()
    written = chat.sent_by_phone()[-1]["id"]
    assert client.mark_message_as_read(written)
    wait_until(lambda: chat.sent_by_phone()[-1]["status"] == "read", message="the read mark")
    assert client.indicate_typing(written)
    picture = sample("image")
    media = client.upload_media(picture.data, mime_type=picture.mime_type, filename="tent.jpg")
    client.send_image(chat.wa_id, media, caption="ours")
    assert newest(chat, 1)["media"]["size"] == len(picture.data)


def test_what_goes_wrong_is_an_error_that_the_library_knows(
    installation: Installation, own: Line, line: Line, client: pywa.WhatsApp, post: Callable[..., requests.Response]
) -> None:
    chat = Chat(installation, own, "4917800000003").opened()
    with pytest.raises(errors.WhatsAppError) as caught:
        client.send_message(chat.wa_id, "x" * 4097)
    said = "Param text['body'] must be at most 4096 characters long."
    assert (caught.value.code, caught.value.details) == (100, said), "Meta's own word"
    with pytest.raises(errors.WhatsAppError) as missing:
        client.send_template(chat.wa_id, "reply_missing", TemplateLanguage.ENGLISH, params=[])
    assert missing.value.code == 132001
    foreign = post(LATER, number=line.phone_number_id)
    assert (foreign.status_code, foreign.json()["error"]["code"], foreign.json()["error"]["error_subcode"]) == (
        400, 100, 33,
    )  # fmt: skip
    stranger = post(LATER, Authorization="Bearer wgr_nobodys")
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, 190)
    nothing = post([])
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (400, 131009)
    with pytest.raises(errors.WhatsAppError) as elsewhere:
        client.get_business_profile()
    assert (elsewhere.value.code, "graph.facebook.com" in str(elsewhere.value.details)) == (2500, True)
    assert chat.on_the_phone() == []


def test_what_cannot_go_now_has_our_id_until_whatsapp_gives_one(
    installation: Installation, post: Callable[..., requests.Response]
) -> None:
    [line] = installation.tenant("Paused library")
    chat = Chat(installation, line, "4917800000090").opened()
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "paused"})
    asked = {"X-Tenant-ID": line.tenant_id, "Authorization": f"Bearer {installation.env['ADMIN_API_KEY']}"}
    answer = post(LATER, line.phone_number_id, **asked, **{"Idempotency-Key": "later-1"})
    [message] = answer.json()["messages"]
    assert message == {"id": answer.headers["X-Message-ID"], "message_status": "accepted"}
    quoting = LATER | {"text": {"body": "quoted"}, "context": {"message_id": message["id"]}}
    early = post(quoting, line.phone_number_id, **asked).json()["error"]
    assert (early["code"], "wait until it is sent" in early["error_data"]["details"]) == (131009, True)
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "active"})
    shown = newest(chat, 1)
    again = post(LATER, line.phone_number_id, **asked, **{"Idempotency-Key": "later-1"}).json()
    assert (again["messages"], again["contacts"]) == (
        [{"id": shown["id"]}], [{"input": "+4917800000090", "wa_id": "4917800000090"}],
    )  # fmt: skip
    assert post(quoting, line.phone_number_id, **asked).ok
    assert newest(chat, 2)["context"]["message_id"] == shown["id"]
