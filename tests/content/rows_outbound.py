"""From Genesys to WhatsApp: one row for each content that docs/message-types.md lists."""

from __future__ import annotations

from typing import Any

from tests.content.rows import Table
from tests.flow.chat import Chat
from tests.waiting import wait_until

outbound = Table(4917500000001)


def shown(chat: Chat, kind: str, how_many: int = 1) -> dict[str, Any]:
    """What the phone shows last, once there are so many messages; it is of the kind."""
    wait_until(lambda: len(chat.on_the_phone()) >= how_many, message=f"the phone to show {kind}", interval=0.1)
    found = chat.on_the_phone()
    assert len(found) == how_many, [one["type"] for one in found]
    last = found[-1]
    actual = last["interactive"]["kind"] if last["interactive"] and last["type"] == "interactive" else last["type"]
    assert actual == kind
    return last


def sample(chat: Chat, name: str, **more: Any) -> str:
    """The agent's side sends one of the desk's samples into an open conversation."""
    chat.opened()
    return chat.answers(sample=name, **more)


def titles(message: dict[str, Any]) -> list[str]:
    return [one["title"] for one in message["interactive"]["options"]]


def failed(chat: Chat, source_id: str) -> dict[str, Any]:
    wait_until(lambda: "Failed" in chat.told(source_id), message="Genesys to be told Failed")
    reason: dict[str, Any] = chat.receipts(source_id)[-1]["reasons"][0]
    return reason


def asked(chat: Chat, command: str, kind: str) -> dict[str, Any]:
    chat.opened()
    chat.answers(command)
    found = shown(chat, kind)
    assert found["text"] and found["text"] in command
    return found


@outbound.row("text")
def text(chat: Chat) -> None:
    chat.opened()
    source = chat.answers("Hello *Ada* 👋")
    assert shown(chat, "text")["text"] == "Hello *Ada* 👋"
    wait_until(lambda: chat.told(source) == ["Delivered"], message="the receipt")


@outbound.row("long text")
def long_text(chat: Chat) -> None:
    chat.opened()
    words = " ".join(f"word{number}" for number in range(1200))
    source = chat.answers(words)
    shown(chat, "text", 3)
    assert " ".join(chat.phone_reads()) == words
    wait_until(lambda: chat.told(source) == ["Delivered"], message="one receipt for all")


@outbound.row("image")
def image(chat: Chat) -> None:
    sample(chat, "image", text="our shop")
    found = shown(chat, "image")
    assert (found["text"], found["media"]["mime_type"]) == ("our shop", "image/jpeg")
    assert "id" in found["payload"]["image"]


@outbound.row("video")
def video(chat: Chat) -> None:
    sample(chat, "video")
    assert shown(chat, "video")["media"]["mime_type"] == "video/mp4"


@outbound.row("audio")
def audio(chat: Chat) -> None:
    sample(chat, "audio")
    assert shown(chat, "audio")["media"]["mime_type"].startswith("audio/ogg")


@outbound.row("document")
def document(chat: Chat) -> None:
    sample(chat, "document", text="the offer")
    found = shown(chat, "document")
    assert (found["text"], found["media"]["filename"]) == ("the offer", "offer.pdf")


@outbound.row("picture that WhatsApp does not take")
def picture(chat: Chat) -> None:
    sample(chat, "sticker")
    assert shown(chat, "image")["media"]["mime_type"] in ("image/jpeg", "image/png")


@outbound.row("file that WhatsApp does not take")
def other_file(chat: Chat) -> None:
    chat.opened()
    data = {"data": "UEsDBAoAAAAAAA==", "mime_type": "application/zip", "filename": "photos.zip"}
    chat.answers(attachment=data)
    assert "photos.zip: http" in shown(chat, "text")["text"]


@outbound.row("document without an ending")
def nameless(chat: Chat) -> None:
    chat.opened()
    chat.answers(attachment={"data": "JVBERi0xLjQK", "mime_type": "application/pdf", "filename": "scan."})
    assert shown(chat, "document")["media"]["filename"] == "scan.pdf"


@outbound.row("table as text")
def table(chat: Chat) -> None:
    chat.opened()
    chat.answers(attachment={"data": "YSxiCjEsMgo=", "mime_type": "text/csv", "filename": "prices.csv"})
    assert shown(chat, "document")["media"]["filename"] == "prices.csv"


@outbound.row("table without a type")
def untyped(chat: Chat) -> None:
    chat.opened()
    content = {"data": "YSxiCjEsMgo=", "mime_type": "application/octet-stream", "filename": "prices.csv"}
    chat.answers(attachment=content)
    assert shown(chat, "document")["media"]["filename"] == "prices.csv"


@outbound.row("file that is gone")
def gone(chat: Chat) -> None:
    chat.opened()
    url = f"http://127.0.0.1:{chat.installation.env['SANDBOX_PORT']}/genesys/nothing"
    attachment = {"mediaType": "Image", "url": url, "mime": "image/png", "filename": "gone.png"}
    content = [{"contentType": "Attachment", "attachment": attachment}]
    source = chat.answers("see", message={"content": content})
    assert failed(chat, source)["message"]


@outbound.row("link attachment")
def link(chat: Chat) -> None:
    sample(chat, "link")
    assert "http" in shown(chat, "text")["text"]


@outbound.row("quick replies")
def quick_replies(chat: Chat) -> None:
    sample(chat, "quick_replies")
    assert len(titles(shown(chat, "button"))) == 3


@outbound.row("quick replies with long titles")
def long_titles(chat: Chat) -> None:
    sample(chat, "quick_replies_long")
    found = shown(chat, "button")
    assert len(set(titles(found))) == 3
    assert all(len(one) <= 20 for one in titles(found))
    assert "1. " in found["text"], "what was cut stands in full in the text"


@outbound.row("quick replies, four to ten")
def quick_replies_list(chat: Chat) -> None:
    sample(chat, "quick_replies_list")
    assert len(titles(shown(chat, "list"))) == 7


@outbound.row("quick replies, more than ten")
def quick_replies_many(chat: Chat) -> None:
    sample(chat, "quick_replies_many")
    text = shown(chat, "text")["text"]
    assert "\n1. " in text
    assert "\n12. " in text


@outbound.row("quick replies of the second kind")
def quick_reply_v2(chat: Chat) -> None:
    sample(chat, "quick_reply_v2")
    assert len(titles(shown(chat, "button"))) == 3


@outbound.row("card")
def card(chat: Chat) -> None:
    sample(chat, "card")
    found = shown(chat, "button")
    assert found["interactive"]["header"]["type"] == "image"
    assert len(titles(found)) == 2


@outbound.row("card with a link")
def card_link(chat: Chat) -> None:
    sample(chat, "card_link")
    assert shown(chat, "cta_url")["interactive"]["options"][0]["url"].startswith("http")


@outbound.row("card with answers and a link")
def card_mixed(chat: Chat) -> None:
    sample(chat, "card_mixed")
    found = shown(chat, "button")
    assert len(titles(found)) == 1
    assert "http" in found["text"]


@outbound.row("card whose picture is gone")
def card_without_picture(chat: Chat) -> None:
    chat.opened()
    url = f"http://127.0.0.1:{chat.installation.env['SANDBOX_PORT']}/genesys/nothing.png"
    actions = [{"type": "Postback", "text": "Buy", "payload": "buy"}]
    body = {"title": "A tent", "image": url, "actions": actions}
    chat.answers(type="Structured", content=[{"contentType": "Card", "card": body}])
    assert shown(chat, "button")["interactive"]["header"] is None


@outbound.row("carousel")
def carousel(chat: Chat) -> None:
    source = sample(chat, "carousel")
    shown(chat, "button", 3)
    assert all(one["interactive"]["header"] for one in chat.on_the_phone())
    wait_until(lambda: chat.told(source) == ["Delivered"], message="one receipt for all")


@outbound.row("date picker")
def date_picker(chat: Chat) -> None:
    sample(chat, "date_picker")
    assert len(titles(shown(chat, "list"))) == 5


@outbound.row("list picker")
def list_picker(chat: Chat) -> None:
    sample(chat, "list_picker")
    options = shown(chat, "list")["interactive"]["options"]
    assert len(options) == 5
    assert len({one["section"] for one in options}) == 2


@outbound.row("notification")
def notification(chat: Chat) -> None:
    sample(chat, "notification")
    found = shown(chat, "button")
    assert titles(found)
    assert "http" in found["text"]


@outbound.row("notification with a picture")
def notification_media(chat: Chat) -> None:
    sample(chat, "notification_media")
    assert shown(chat, "button")["interactive"]["header"]["type"] == "image"


@outbound.row("notification as a template")
def notification_template(chat: Chat) -> None:
    sample(chat, "notification_template")
    assert shown(chat, "template")["template"]["name"] == "order_update"


@outbound.row("template by the convention")
def template(chat: Chat) -> None:
    chat.opened()
    chat.answers("/template reply_waiting en | as promised")
    assert "as promised" in shown(chat, "template")["text"]


@outbound.row("carousel of a template")
def template_cards(chat: Chat) -> None:
    chat.opened()
    cards = [
        f"card {n} header: https://shop.example/{n}.jpg\ncard {n}: {n}49\ncard {n} button 2: tent-{n}" for n in (1, 2)
    ]
    chat.answers("\n".join(("/template new_season en", "Ada", *cards)))
    options = shown(chat, "template")["interactive"]["options"]
    assert [one["title"] for one in options] == ["Tell me more", "Look closer"] * 2


@outbound.row("template that cannot be read")
def template_unreadable(chat: Chat) -> None:
    chat.opened()
    reason = failed(chat, chat.answers("/template Not_A_Name"))
    assert reason["code"] == "InvalidMessageStructure"
    assert "/template" in reason["message"]


@outbound.row("request for a place")
def place_request(chat: Chat) -> None:
    asked(chat, "/ask location Where shall we bring it?", "location_request_message")


@outbound.row("request for a number")
def number_request(chat: Chat) -> None:
    asked(chat, "/ask contact Under which number can we call you?", "request_contact_info")


@outbound.row("request for leave to call")
def call_request(chat: Chat) -> None:
    asked(chat, "/ask call May we call you about your order?", "call_permission_request")


@outbound.row("request to fill in a form")
def form_request(chat: Chat) -> None:
    found = asked(chat, "/ask flow 1234567890 Please fill in the form.\nbutton: Open the form", "flow")
    assert titles(found) == ["Open the form"]
    assert found["payload"]["interactive"]["action"]["parameters"]["flow_id"] == "1234567890"


@outbound.row("request that cannot be read")
def request_unreadable(chat: Chat) -> None:
    chat.opened()
    reason = failed(chat, chat.answers("/ask: location"))
    assert reason["code"] == "InvalidMessageStructure"
    assert "write /ask" in reason["message"]
    assert chat.on_the_phone() == []


@outbound.row("location")
def location(chat: Chat) -> None:
    sample(chat, "location")
    wait_until(lambda: any(one["location"] for one in chat.on_the_phone()), message="the place")
    assert chat.on_the_phone()[-1]["location"]["latitude"]


@outbound.row("text content")
def text_content(chat: Chat) -> None:
    sample(chat, "text_content")
    assert shown(chat, "text")["text"]


@outbound.row("form")
def form(chat: Chat) -> None:
    sample(chat, "form")
    assert shown(chat, "text")["text"]


@outbound.row("interactive application")
def application(chat: Chat) -> None:
    sample(chat, "interactive_application")
    assert shown(chat, "text")["text"]


@outbound.row("payment request")
def payment(chat: Chat) -> None:
    sample(chat, "payment_request")
    assert shown(chat, "text")["text"]


@outbound.row("push")
def push(chat: Chat) -> None:
    sample(chat, "push")
    assert shown(chat, "text")["text"]


@outbound.row("rich link")
def rich_link(chat: Chat) -> None:
    chat.opened()
    body = {"contentType": "RichLink", "richLink": {"title": "Our shop", "url": "https://shop.example.org"}}
    chat.answers(type="Structured", message={"content": [body]})
    assert shown(chat, "text")["text"] == "Our shop\nhttps://shop.example.org"


@outbound.row("a content of tomorrow")
def unknown(chat: Chat) -> None:
    chat.opened()
    body = {"contentType": "Hologram", "hologram": {"title": "Look around"}}
    chat.answers("see", type="Structured", message={"content": [body]})
    assert "Look around" in shown(chat, "text")["text"]


@outbound.row("nothing in it")
def nothing(chat: Chat) -> None:
    chat.opened()
    source = chat.answers(message={"text": "", "content": []})
    reason = failed(chat, source)
    assert (reason["code"], reason["message"]) == ("InvalidMessageStructure", "empty: no text and no file in it")


@outbound.row("typing")
def typing(chat: Chat) -> None:
    chat.opened()
    chat.answers(typing=True)
    path = f"/phone/{chat.wa_id}/messages?to={chat.line.phone_number_id}"
    wait_until(lambda: bool(chat.installation.control("GET", path)["typing"]), message="the phone to show typing")


@outbound.row("to a number that is not on WhatsApp")
def undeliverable(chat: Chat) -> None:
    chat.opened()
    chat.installation.control("POST", f"/phone/{chat.wa_id}", {"fail_code": 131026})
    assert failed(chat, chat.answers("hello?"))["code"] == "InvalidDestination"


@outbound.row("to a customer who wants no marketing")
def opted_out(chat: Chat) -> None:
    chat.opened()
    chat.installation.control("POST", f"/phone/{chat.wa_id}", {"fail_code": 131050})
    assert failed(chat, chat.answers("hello?"))["code"] == "RecipientOptedOut"


@outbound.row("what Meta could not deliver for the moment")
def undelivered(chat: Chat) -> None:
    chat.opened()
    chat.installation.control("POST", f"/phone/{chat.wa_id}", {"fail_code": 131000})
    source = chat.answers("once more, please")
    wait_until(lambda: chat.installation.row(source).get("reason_code") == "131000", message="Meta's word")
    chat.installation.control("POST", f"/phone/{chat.wa_id}", {"fail_code": None})
    wait_until(lambda: chat.told(source) == ["Delivered"], message="it to arrive after all")
    assert chat.phone_reads() == ["once more, please"]
