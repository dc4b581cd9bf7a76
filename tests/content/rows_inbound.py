"""From WhatsApp to Genesys: one row for each kind of message that docs/message-types.md lists."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from relay.channels.whatsapp.webhook import sign
from tests.content.rows import Table
from tests.flow.chat import Chat
from tests.waiting import wait_until

inbound = Table(4917400000001)


def seen(chat: Chat, *words: str) -> dict[str, Any]:
    """The newest message at the desk, once it holds all the words."""
    last: list[dict[str, Any]] = [{}]

    def there() -> bool:
        last[0] = (chat.at_the_desk() or [{}])[-1]
        return bool(last[0]) and all(word in (last[0]["text"] or "") for word in words)

    try:
        wait_until(there, message="the agent to see it", interval=0.1)
    except AssertionError as error:
        raise AssertionError(f"{error}: {words}; the last they see is {last[0].get('text')!r}") from None
    return last[0]


def file(chat: Chat, media_type: str, mime_type: str) -> dict[str, Any]:
    """The newest message's file, once Genesys has fetched it."""

    def there() -> bool:
        found = chat.at_the_desk()
        return bool(found and found[-1]["attachment"] and found[-1]["attachment"]["fetch"]["state"] == "fetched")

    wait_until(there, message="the file at the desk", interval=0.1)
    attachment: dict[str, Any] = chat.at_the_desk()[-1]["attachment"]
    assert (attachment["media_type"], attachment["mime"]) == (media_type, mime_type)
    return attachment


def gesture(chat: Chat, path: str, **body: Any) -> str:
    where = {"from": chat.wa_id, "to": chat.line.phone_number_id}
    return str(chat.installation.control("POST", f"/phone/{path}", where | body)["id"])


def attributes(chat: Chat) -> dict[str, str]:
    found: dict[str, str] = chat.at_the_desk()[-1]["custom_attributes"]
    return found


@inbound.row("text")
def text(chat: Chat) -> None:
    chat.writes("Do you have it in *blue*? 💙")
    assert seen(chat, "blue")["text"] == "Do you have it in *blue*? 💙"
    assert attributes(chat)["whatsapp_type"] == "text"


@inbound.row("long text")
def long_text(chat: Chat) -> None:
    words = " ".join(f"word{number}" for number in range(1200))
    chat.writes(words)
    wait_until(lambda: len(chat.at_the_desk()) == 3, message="all parts")
    read = chat.agent_reads()
    assert all(len(one) <= 4000 for one in read)
    assert " ".join(read) == words


@inbound.row("image")
def image(chat: Chat) -> None:
    chat.writes("my tent", type="image", sample=True)
    seen(chat, "my tent")
    file(chat, "Image", "image/jpeg")


@inbound.row("video")
def video(chat: Chat) -> None:
    chat.writes("it leaks", type="video", sample=True)
    seen(chat, "it leaks")
    file(chat, "Video", "video/mp4")


@inbound.row("voice note")
def voice(chat: Chat) -> None:
    chat.writes(type="voice", sample=True)
    file(chat, "Audio", "audio/ogg")
    assert attributes(chat)["whatsapp_voice"] == "true"


@inbound.row("audio")
def audio(chat: Chat) -> None:
    chat.writes(type="audio", sample=True, voice=False)
    file(chat, "Audio", "audio/ogg")


@inbound.row("document")
def document(chat: Chat) -> None:
    chat.writes("the receipt", type="document", sample=True)
    seen(chat, "the receipt")
    assert file(chat, "File", "application/pdf")["filename"] == "offer.pdf"


@inbound.row("sticker")
def sticker(chat: Chat) -> None:
    chat.writes(type="sticker", sample=True)
    file(chat, "Image", "image/webp")
    assert attributes(chat)["whatsapp_sticker"] == "static"


@inbound.row("animated sticker")
def animated_sticker(chat: Chat) -> None:
    chat.writes(type="sticker", sample=True, animated=True)
    file(chat, "Image", "image/webp")
    assert attributes(chat)["whatsapp_sticker"] == "animated"


@inbound.row("media with an error")
def media_error(chat: Chat) -> None:
    chat.writes(type="video", error=131052)
    seen(chat, "did not arrive", "video", "131052")


@inbound.row("media that is gone")
def media_gone(chat: Chat) -> None:
    chat.writes(type="image", message={"image": {"id": "4711", "mime_type": "image/jpeg", "caption": "look"}})
    seen(chat, "look", "could not be delivered")


@inbound.row("location")
def location(chat: Chat) -> None:
    chat.writes(type="location", sample=True)
    assert "maps" in seen(chat, "📍 Location")["text"]


@inbound.row("contacts")
def contacts(chat: Chat) -> None:
    chat.writes(type="contacts", sample=True)
    seen(chat, "👤")
    assert file(chat, "File", "text/vcard")["preview"].startswith("BEGIN:VCARD")


@inbound.row("contact request answered")
def contact_request(chat: Chat) -> None:
    chat.writes(type="contact_request", sample=True)
    seen(chat, "👤", chat.wa_id)


@inbound.row("button reply of ours")
def button_reply(chat: Chat) -> None:
    chat.opened()
    origin = chat.answers(sample="quick_replies")
    wait_until(lambda: bool(chat.on_the_phone()), message="the buttons")
    gesture(chat, "taps", id=chat.on_the_phone()[-1]["id"], option=0)
    wait_until(lambda: bool(chat.at_the_desk()[-1]["button_response"]), message="the answer")
    assert chat.at_the_desk()[-1]["button_response"]["originating_message_id"] == origin


@inbound.row("list reply of ours")
def list_reply(chat: Chat) -> None:
    chat.opened()
    chat.answers(sample="list_picker")
    wait_until(lambda: bool(chat.on_the_phone()), message="the list")
    gesture(chat, "taps", id=chat.on_the_phone()[-1]["id"], option=1)
    wait_until(lambda: bool(chat.at_the_desk()[-1]["button_response"]), message="the answer")


@inbound.row("reply to a button that is not ours")
def foreign_button(chat: Chat) -> None:
    chat.writes(type="button_reply", sample=True)
    assert seen(chat)["button_response"] is None
    assert attributes(chat)["whatsapp_button_id"]


@inbound.row("template quick reply")
def template_button(chat: Chat) -> None:
    chat.writes(type="button", message={"button": {"payload": "STOP", "text": "Stop updates"}})
    seen(chat, "Stop updates")
    assert attributes(chat)["whatsapp_button_id"] == "STOP"


@inbound.row("answer by number")
def answer_by_number(chat: Chat) -> None:
    chat.opened()
    chat.answers(sample="quick_replies_many")
    wait_until(lambda: bool(chat.on_the_phone()), message="the numbered options")
    chat.writes("12.")
    wait_until(lambda: bool(chat.at_the_desk()[-1]["button_response"]), message="the answer")


@inbound.row("answer to a question that is over")
def late_answer(chat: Chat) -> None:
    chat.opened()
    chat.answers(sample="quick_replies")
    wait_until(lambda: bool(chat.on_the_phone()), message="the buttons")
    integration = {"integration_id": chat.line.integration_id}
    chat.installation.control("POST", f"/agent/{chat.wa_id}/end", integration)
    shown = chat.on_the_phone()[-1]
    gesture(chat, "taps", id=shown["id"], option=0)
    assert seen(chat, shown["interactive"]["options"][0]["title"])["button_response"] is None


@inbound.row("flow reply")
def flow(chat: Chat) -> None:
    chat.writes(type="flow", sample=True)
    seen(chat, "answered]", ": ")
    assert attributes(chat)["whatsapp_flow_response"].startswith("{")


@inbound.row("address")
def address(chat: Chat) -> None:
    chat.writes(type="address_message", sample=True)
    seen(chat, "🏠 Address", ": ")


@inbound.row("permission to call")
def call_permission(chat: Chat) -> None:
    chat.writes(type="call_permission_reply", sample=True)
    seen(chat, "Permission to call: ")


@inbound.row("reaction")
def reaction(chat: Chat) -> None:
    chat.opened()
    chat.answers("your parcel is on its way")
    chat.phone_reads_in_time("your parcel is on its way")
    wait_until(lambda: chat.on_the_phone()[-1]["status"] == "read", message="it to be read")
    gesture(chat, "reactions", id=chat.on_the_phone()[-1]["id"], emoji="👍")
    seen(chat, "Reacted with 👍 to: “your parcel is on its way”")


@inbound.row("reaction taken back")
def reaction_removed(chat: Chat) -> None:
    own = chat.writes("is anybody there?")
    gesture(chat, "reactions", id=own, emoji="🙈")
    gesture(chat, "reactions", id=own, emoji="")
    seen(chat, "Removed the reaction from their own message: “is anybody there?”")


@inbound.row("reply to a message")
def reply(chat: Chat) -> None:
    chat.opened()
    chat.answers("red or blue?")
    chat.phone_reads_in_time("red or blue?")
    wait_until(lambda: chat.on_the_phone()[-1]["status"] == "read", message="it to be read")
    chat.writes("the second", reply_to=chat.on_the_phone()[-1]["id"])
    assert seen(chat, "the second")["text"] == "In reply to: “red or blue?”\nthe second"


@inbound.row("reply with a file")
def reply_with_file(chat: Chat) -> None:
    own = chat.writes("here it comes")
    chat.writes("as promised", type="image", sample=True, reply_to=own)
    seen(chat, "In reply to their own message: “here it comes”", "as promised")
    file(chat, "Image", "image/jpeg")


@inbound.row("forwarded")
def forwarded(chat: Chat) -> None:
    chat.writes("a joke", forwarded=True)
    seen(chat, "[Forwarded]", "a joke")


@inbound.row("forwarded many times")
def forwarded_often(chat: Chat) -> None:
    chat.writes("an old joke", forwarded="frequently")
    seen(chat, "[Forwarded many times]", "an old joke")


@inbound.row("from an advertisement")
def advertisement(chat: Chat) -> None:
    chat.writes("is it still to be had?", referral=True)
    seen(chat, "From the advertisement “", "https://", "is it still to be had?")
    known = attributes(chat)
    assert known["whatsapp_referral_click_id"] and known["whatsapp_referral_image"].startswith("https://")
    assert datetime.fromisoformat(known["whatsapp_window_until"]) > datetime.now(UTC) + timedelta(days=6)
    assert known["whatsapp_referral_welcome"] == "Hi! Which tent are you looking for?"


@inbound.row("written in a group")
def group(chat: Chat) -> None:
    chat.writes("does anybody know?", message={"group_id": "120363401234567890"})
    seen(chat, "[Written in a group.", "goes to this customer alone.]", "does anybody know?")
    assert attributes(chat)["whatsapp_group_id"] == "120363401234567890"
    assert "whatsapp_window_until" not in attributes(chat)


@inbound.row("about a product")
def product(chat: Chat) -> None:
    chat.writes("which sizes are there?", referred_product=True)
    seen(chat, "[About the product ", "which sizes are there?")


@inbound.row("order")
def order(chat: Chat) -> None:
    chat.writes(type="order", sample=True)
    seen(chat, "🛒 Order", " × ", "Total: ")


@inbound.row("edit")
def edit(chat: Chat) -> None:
    own = chat.writes("at four")
    seen(chat, "at four")
    gesture(chat, "edits", id=own, text="at five")
    seen(chat, "Edited “at four” to: at five")


@inbound.row("edit of a number not in the app")
def edit_unsupported(chat: Chat) -> None:
    own = chat.writes("at four")
    gesture(chat, "edits", id=own, text="at five", **{"as": "unsupported"})
    seen(chat, "edited an earlier message")


@inbound.row("deletion")
def revocation(chat: Chat) -> None:
    own = chat.writes("oops")
    seen(chat, "oops")
    gesture(chat, "revocations", id=own)
    seen(chat, "Deleted: “oops”")


@inbound.row("number changed")
def number_changed(chat: Chat) -> None:
    chat.opened()
    new = f"4917299{secrets.randbelow(10**6):06d}"
    chat.installation.control("POST", f"/phone/{chat.wa_id}/number", {"wa_id": new})
    seen(chat, "changed the phone number", f"+{new}")


@inbound.row("user id changed")
def user_id_changed(chat: Chat) -> None:
    chat.opened()
    chat.installation.control("POST", f"/phone/{chat.wa_id}/user_id", {})
    seen(chat, "a new user id")


@inbound.row("security code changed")
def identity_changed(chat: Chat) -> None:
    chat.opened()
    chat.writes(type="system", message={"system": {"type": "customer_identity_changed", "body": "changed"}})
    seen(chat, "security code has changed")


@inbound.row("news while nobody talks")
def news(chat: Chat) -> None:
    source = chat.writes(type="system", message={"system": {"type": "customer_identity_changed"}})
    row = chat.state_in_time(source, "ignored")
    assert "not going on" in row["reason"]
    assert chat.installation.control("GET", "/agent/contacts?limit=1000")
    assert chat.wa_id not in {
        one["contact"] for one in chat.installation.control("GET", "/agent/contacts?limit=1000")["contacts"]
    }


@inbound.row("unsupported")
def unsupported(chat: Chat) -> None:
    chat.writes(type="poll", sample=True)
    seen(chat, "The customer sent a poll", "ask the customer")


@inbound.row("view once")
def view_once(chat: Chat) -> None:
    chat.writes(type="unsupported", unsupported_type="media_placeholder")
    seen(chat, "viewed once")


@inbound.row("disappearing message")
def ephemeral(chat: Chat) -> None:
    chat.writes(type="ephemeral")
    seen(chat, "disappearing message", "ask the customer")


@inbound.row("unavailable")
def unavailable(chat: Chat) -> None:
    chat.writes(type="unsupported", unsupported_type="", error=131060)
    seen(chat, "WhatsApp Business app only")


@inbound.row("a type of tomorrow")
def unknown(chat: Chat) -> None:
    chat.writes(type="hologram", message={"hologram": {"caption": "look around", "depth": 3}})
    seen(chat, "does not know: hologram", "look around")


@inbound.row("chat opened")
def request_welcome(chat: Chat) -> None:
    source = chat.writes(type="request_welcome")
    assert "nothing was written" in chat.state_in_time(source, "ignored")["reason"]


@inbound.row("seen in standby")
def standby(chat: Chat) -> None:
    source = chat.writes("where is my order?", field="standby")
    assert "another responder" in chat.state_in_time(f"copy:{source}", "ignored")["reason"]


def webhook(chat: Chat, field: str, value: dict[str, Any]) -> None:
    """One that the sandbox sends only where a business has configured routing, for this contact alone."""
    numbers = chat.installation.control("GET", "/accounts")["whatsapp"]
    account = next(one for one in numbers if one["phone_number_id"] == chat.line.phone_number_id)
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": field, "value": value}]}]}
    raw = json.dumps(body).encode()
    headers = {"X-Hub-Signature-256": sign(account["app_secret"], raw), "Content-Type": "application/json"}
    assert requests.post(account["callback_url"], data=raw, headers=headers, timeout=30).status_code == 200


def handover(chat: Chat, kind: str, **told: Any) -> None:
    named = {"sender": {"phone_number": chat.wa_id}, "recipient": {"phone_number_id": chat.line.phone_number_id}}
    webhook(chat, "messaging_handovers", {**named, "type": kind, "timestamp": str(int(time.time())), kind: told})


@inbound.row("handed over")
def handed_over(chat: Chat) -> None:
    handover(chat, "control_passed", previous_owner_role="ai_agent", metadata="wants a person")
    seen(chat, "The AI agent handed this conversation over. Their note: wants a person")
    assert attributes(chat)["whatsapp_handover"] == "passed"
    assert attributes(chat)["whatsapp_thread"] == "owned"


@inbound.row("taken over")
def taken_over(chat: Chat) -> None:
    chat.opened()
    handover(chat, "control_taken", new_owner_role="escalation")
    seen(chat, "The escalation partner took this conversation over.")
    assert attributes(chat)["whatsapp_thread"] == "elsewhere"
    assert attributes(chat)["whatsapp_thread_role"] == "escalation"


@inbound.row("recap")
def recap(chat: Chat) -> None:
    wrote = {"from": chat.wa_id, "id": f"wamid.{chat.wa_id}", "timestamp": str(int(time.time())), "type": "text"}
    value = {
        "metadata": {"phone_number_id": chat.line.phone_number_id},
        "messages": [{**wrote, "text": {"body": "And on Sunday?"}}],
        "conversation_context": {"type": "summary", "summary": {"text": "Asked for the opening hours."}},
    }
    webhook(chat, "messages", value)
    seen(chat, "And on Sunday?")
    recap, message = chat.at_the_desk()
    assert "written by a machine" in recap["text"] and "Asked for the opening hours." in recap["text"]
    assert recap["custom_attributes"]["whatsapp_recap"] == "true"
    assert message["text"] == "And on Sunday?"


@inbound.row("echo of the business's app")
def echo(chat: Chat) -> None:
    chat.opened()
    gesture(chat, "echoes", text="I am on it")
    seen(chat, "from its own WhatsApp Business app", "I am on it")


@inbound.row("call")
def call(chat: Chat) -> None:
    gesture(chat, "calls")

    def kept() -> list[dict[str, Any]]:
        return chat.installation.rows(
            """SELECT m.state, m.reason, c.window_until > now() AS open FROM message_tracking m
               JOIN conversation_mappings c ON c.id = m.conversation_id WHERE c.wa_id = %s""",
            chat.wa_id,
        )

    wait_until(lambda: bool(kept()), message="the call to be kept")
    assert (kept()[0]["state"], kept()[0]["open"]) == ("ignored", True)
    assert "not relayed" in kept()[0]["reason"]
