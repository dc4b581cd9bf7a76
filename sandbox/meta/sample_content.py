"""Contents as real phones send them, for whoever asks for a sample. Shapes: Cloud API, webhooks/reference/messages."""

import json
import time
from collections.abc import Callable
from typing import Any

from sandbox.ids import bsuid
from sandbox.meta.moving import changed
from sandbox.meta.thread import Phone, Thread

WIRE_TYPES = {
    "voice": "audio",
    "contact_request": "contacts",
    "button_reply": "interactive",
    "list_reply": "interactive",
    "flow": "interactive",
    "address_message": "interactive",
    "call_permission_reply": "interactive",
    "poll": "unsupported",
    "user_changed_number": "system",
    "user_changed_user_id": "system",
}
"""What may be asked for by a name of its own, and the type under which it travels."""

ANSWERS = ("interactive", "button", *(name for name, wire in WIRE_TYPES.items() if wire == "interactive"))
"""Samples that answer a message of the business, if there is one."""

_VCARD = (
    "BEGIN:VCARD\nVERSION:3.0\nN:Berger;Jonas;;;\nFN:Jonas Berger\nORG:Berger Zelte;\nTITLE:Master tent maker\n"
    "TEL;type=CELL;waid=4915798765432:+49 1579 8765432\nEMAIL;type=WORK:jonas@berger-zelte.example\nEND:VCARD"
)
REFERRAL: dict[str, Any] = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Tents for every weather",
    "body": "Twenty per cent off until Sunday",
    "media_type": "image",
    "image_url": "https://scontent.xx.fbcdn.net/v/t45.1-4/tent.jpg",
    "ctwa_clid": "ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwLF4XvnO2E4Nx0-eM-GABDLOPaOdRMv-_zfUQ2a",
    "welcome_message": {"text": "Hi! Which tent are you looking for?"},
}
PRODUCT = {"catalog_id": "194836987003835", "product_retailer_id": "tent-2p-red"}


def content(kind: str, thread: Thread) -> Any:
    """None for what has no content, or none that could be made up."""
    make = _CONTENTS.get(kind)
    return make(thread) if make else None


def contact_request(phone: Phone) -> list[dict[str, Any]]:
    """The answer to a request for contact info: the phone's own number, and no vCard."""
    number = {"phone": f"+{phone.wa_id}", "wa_id": phone.wa_id, "type": "CELL"}
    name = {"formatted_name": phone.name, "first_name": phone.name.split(" ")[0]}
    return [{"name": name, "phones": [number], "origin": "contact_request"}]


def flow(name: str, answer: dict[str, Any], body: str = "Sent") -> dict[str, Any]:
    reply = {"name": name, "body": body, "response_json": json.dumps(answer, ensure_ascii=False)}
    return {"type": "nfm_reply", "nfm_reply": reply}


def _contacts(_: Thread) -> list[dict[str, Any]]:
    return [
        {
            "name": {"formatted_name": "Jonas Berger", "first_name": "Jonas", "last_name": "Berger"},
            "phones": [{"phone": "+49 1579 8765432", "wa_id": "4915798765432", "type": "CELL"}],
            "emails": [{"email": "jonas@berger-zelte.example", "type": "WORK"}],
            "org": {"company": "Berger Zelte", "title": "Master tent maker"},
            "origin": "other",
            "vcard": _VCARD,
        }
    ]


def _location(_: Thread) -> dict[str, Any]:
    return {
        "latitude": 52.5219,
        "longitude": 13.4132,
        "name": "Alexanderplatz",
        "address": "Alexanderplatz, 10178 Berlin",
        "url": "https://www.alexanderplatz.example/",
    }


def _order(_: Thread) -> dict[str, Any]:
    tent = {"product_retailer_id": "tent-2p-red", "quantity": 1, "item_price": 249.9, "currency": "EUR"}
    pegs = {"product_retailer_id": "pegs-12", "quantity": 2, "item_price": 9.5, "currency": "EUR"}
    return {"catalog_id": PRODUCT["catalog_id"], "text": "By Friday, please", "product_items": [tent, pegs]}


def _flow(_: Thread) -> dict[str, Any]:
    return flow("flow", {"flow_token": "sandbox-flow", "day": "2026-12-01", "people": "2", "camping": True})


def _address(thread: Thread) -> dict[str, Any]:
    values = {"name": thread.phone.name, "address": "Torstraße 1", "city": "Berlin", "in_pin_code": "10119"}
    text = f"{thread.phone.name}\nTorstraße 1, 10119 Berlin"
    return flow("address_message", {"saved_address_id": "address1", "values": values}, text)


def _call_permission(_: Thread) -> dict[str, Any]:
    reply = {
        "response": "accept",
        "is_permanent": False,
        "expiration_timestamp": int(time.time()) + 7 * 86_400,
        "response_source": "user_action",
    }
    return {"type": "call_permission_reply", "call_permission_reply": reply}


def _reaction(thread: Thread) -> dict[str, Any]:
    target = thread.newest("outbound") or thread.newest("inbound")
    return {"message_id": target.id if target else "wamid.c2FuZGJveA==", "emoji": "👍"}


def _own(thread: Thread) -> str:
    target = thread.newest("inbound")
    return target.id if target else "wamid.c2FuZGJveA=="


def _system(kind: str, thread: Thread) -> dict[str, Any]:
    """The event alone: the phone stays as it is."""
    body = f"User {thread.phone.name} changed from \u200e{thread.phone.wa_id} to \u200e4915199999999"
    return changed(kind, body, thread.phone.user_id, bsuid("4915199999999"))


_CONTENTS: dict[str, Callable[[Thread], Any]] = {
    "text": lambda _: {"body": "Good morning! Is the red tent still available?"},
    "location": _location,
    "contacts": _contacts,
    "contact_request": lambda thread: contact_request(thread.phone),
    "order": _order,
    "interactive": _flow,
    "flow": _flow,
    "address_message": _address,
    "call_permission_reply": _call_permission,
    "button_reply": lambda _: {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}},
    "list_reply": lambda _: {
        "type": "list_reply",
        "list_reply": {"id": "monday", "title": "Monday", "description": "8 to 12"},
    },
    "button": lambda _: {"payload": "stop", "text": "Stop updates"},
    "reaction": _reaction,
    "edit": lambda thread: {
        "original_message_id": _own(thread),
        "message": {"type": "text", "text": {"body": "Good morning! Is the blue tent still available?"}},
    },
    "revoke": lambda thread: {"original_message_id": _own(thread)},
    "system": lambda thread: {"wa_id": "4915199999999"} | _system("user_changed_number", thread),
    "user_changed_number": lambda thread: {"wa_id": "4915199999999"} | _system("user_changed_number", thread),
    "user_changed_user_id": lambda thread: _system("user_changed_user_id", thread),
}
