"""From programs to WhatsApp: one row for each kind of message that docs/message-types.md lists."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from sandbox.samples import sample
from tests.content.rows import Table
from tests.content.rows_inbound import attributes, seen
from tests.content.rows_outbound import shown, titles
from tests.flow.chat import Chat
from tests.waiting import wait_until

programs = Table(4917700000001)

OPEN = {"title": "Open", "url": "https://shop.example/1"}


def sent(chat: Chat, **body: Any) -> dict[str, Any]:
    """A program has it sent into an open conversation; WhatsApp has taken it."""
    answer = chat.installation.api("POST", "/whatsapp/send", {"to": chat.wa_id, **body}, chat.line.tenant_id)
    assert answer["status"] in ("sent", "delivered", "read"), answer
    found: dict[str, Any] = answer
    return found


def tapped(chat: Chat, option: int) -> None:
    offer = chat.on_the_phone()[-1]["id"]
    body = {"from": chat.wa_id, "to": chat.line.phone_number_id, "id": offer, "option": option}
    chat.installation.control("POST", "/phone/taps", body)


def file(chat: Chat, kind: str) -> str:
    """An address at the stand-in where such a file can be fetched by anybody."""
    chat.writes(type=kind, sample=kind)
    found = sample(kind)
    origin = f"http://127.0.0.1:{chat.installation.env['SANDBOX_PORT']}"
    return f"{origin}/control/blobs/{hashlib.sha256(found.data).hexdigest()}?type={quote(found.mime_type)}"


@programs.row("text")
def text(chat: Chat) -> None:
    sent(chat.opened(), text="Your order is on its way")
    assert shown(chat, "text")["text"] == "Your order is on its way"


@programs.row("sticker")
def sticker(chat: Chat) -> None:
    sent(chat.opened(), type="sticker", media_url=file(chat, "sticker"))
    assert shown(chat, "sticker")["media"]["mime_type"] == "image/webp"


@programs.row("buttons")
def buttons(chat: Chat) -> None:
    choices = [{"id": "mon", "title": "Monday"}, {"id": "tue", "title": "Tuesday"}]
    sent(chat.opened(), type="buttons", text="Which day?", buttons=choices, footer="We are open from 9")
    assert titles(shown(chat, "button")) == ["Monday", "Tuesday"]
    tapped(chat, 1)
    seen(chat, "Tuesday")
    assert attributes(chat)["whatsapp_button_id"] == "tue"


@programs.row("list")
def list_(chat: Chat) -> None:
    rows = [{"id": "a", "title": "Courier", "description": "tomorrow"}, {"id": "b", "title": "Post"}]
    choices = {"button": "Choose", "sections": [{"rows": rows}]}
    sent(chat.opened(), type="list", text="How shall we send it?", list=choices, header={"text": "Delivery"})
    assert titles(shown(chat, "list")) == ["Courier", "Post"]


@programs.row("link")
def link(chat: Chat) -> None:
    sent(chat.opened(), type="link", text="Your invoice", link=OPEN)
    assert shown(chat, "cta_url")["interactive"]["options"][0]["url"] == OPEN["url"]


@programs.row("carousel")
def carousel(chat: Chat) -> None:
    cards = [{"url": f"https://shop.example/{n}.png", "text": f"Tent {n}", "link": OPEN} for n in (1, 2)]
    sent(chat.opened(), type="carousel", text="Our tents", cards=cards)
    assert [one["section"] for one in shown(chat, "carousel")["interactive"]["options"]] == ["1. Tent 1", "2. Tent 2"]


@programs.row("template with cards")
def template_cards(chat: Chat) -> None:
    card = {"header": {"url": "https://shop.example/tent.jpg"}, "parameters": ["249"], "urls": {"1": "tent-2p"}}
    wanted = {"name": "new_season", "language": "en", "parameters": ["Ada"], "cards": [card, card]}
    sent(chat.opened(), type="template", template=wanted)
    assert [one["section"] for one in shown(chat, "template")["interactive"]["options"]][1:3] == [
        "1. Two people, 249 EUR", "2. Four people, 249 EUR",
    ]  # fmt: skip


@programs.row("template with an offer")
def template_offer(chat: Chat) -> None:
    header = {"type": "image", "url": file(chat.opened(), "image")}
    wanted = {"name": "weekend_offer", "language": "en", "parameters": ["Ada"], "header": header}
    wanted |= {"urls": {"0": "SAVE20", "1": "wa"}, "offer_ends": "2036-12-24T18:00:00+01:00"}
    sent(chat, type="template", template=wanted)
    assert titles(shown(chat, "template")) == ["Copy code", "Shop now"]


@programs.row("flow")
def flow(chat: Chat) -> None:
    sent(chat.opened(), type="flow", text="Fill it in", flow={"id": "123", "button": "Open it", "token": "order-7"})
    assert titles(shown(chat, "flow")) == ["Open it"]
    tapped(chat, 0)
    seen(chat, "[flow answered]")


@programs.row("request for a place")
def place_request(chat: Chat) -> None:
    sent(chat.opened(), type="location_request", text="Where are you?")
    shown(chat, "location_request_message")
    tapped(chat, 0)
    seen(chat, "📍 Location")


@programs.row("request for a number")
def number_request(chat: Chat) -> None:
    sent(chat.opened(), type="contact_request", text="Your number, please")
    shown(chat, "request_contact_info")
    tapped(chat, 0)
    seen(chat, "Shared their own phone number")


@programs.row("request for leave to call")
def call_request(chat: Chat) -> None:
    sent(chat.opened(), type="call_permission_request", text="May we call you?")
    shown(chat, "call_permission_request")
    tapped(chat, 0)
    seen(chat, "Permission to call: given")
    assert attributes(chat)["whatsapp_call_permission"] == "accept"


@programs.row("location")
def location(chat: Chat) -> None:
    place = {"latitude": 52.52, "longitude": 13.41, "name": "Our shop", "address": "Alexanderplatz 1"}
    sent(chat.opened(), type="location", location=place)
    assert shown(chat, "location")["location"]["address"] == "Alexanderplatz 1"


@programs.row("reaction")
def reaction(chat: Chat) -> None:
    written = chat.opened().sent_by_phone()[-1]["id"]
    sent(chat, type="reaction", reaction={"message_id": written, "emoji": "👍"})
    wait_until(lambda: chat.sent_by_phone()[-1]["reactions"], message="the sign at the customer's message")


@programs.row("contacts")
def contacts(chat: Chat) -> None:
    name = {"formatted_name": "Jonas Berger", "first_name": "Jonas"}
    sent(chat.opened(), type="contacts", contacts=[{"name": name, "phones": [{"phone": "+4930123456"}]}])
    assert shown(chat, "contacts")["contacts"][0]["name"] == "Jonas Berger"


@programs.row("Meta's own object")
def object_(chat: Chat) -> None:
    first = sent(chat.opened(), text="the first")
    given = {
        "type": "text",
        "text": {"body": "https://shop.example", "preview_url": True},
        "context": {"message_id": first["id"]},
        "biz_opaque_callback_data": "order 4711",
    }
    answer = sent(chat, message=given)
    found = shown(chat, "text", 2)
    assert (found["payload"]["text"], found["context"]) == (given["text"], {"message_id": first["wamid"]})
    told = chat.installation.api("GET", f"/api/messages/{answer['id']}", tenant=chat.line.tenant_id)
    assert told["callback_data"] == "order 4711"


@programs.row("Meta's own template object")
def template_object(chat: Chat) -> None:
    body = {"type": "body", "parameters": [{"type": "text", "text": "as promised"}]}
    named = {"name": "reply_waiting", "language": {"code": "en"}, "components": [body]}
    sent(chat.opened(), message={"type": "template", "template": named})
    assert shown(chat, "template")["text"] == "We have an answer for you: as promised"
