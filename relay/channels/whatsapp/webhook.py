"""Meta's webhook body: proof of origin, and its items. Never raises, whatever the body is.

Source: Meta's webhook pages. Several entries, changes and items per POST are normal, and
everything unknown has to be lived with: what is refused is repeated for days.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from relay.channels.base import ACCOUNT, Part
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.channels.whatsapp.identity import contacts, matching_contact, recipient_address, sender_address

MEDIA = ("image", "video", "audio", "voice", "document", "sticker")
ECHOES = ("message_echoes", "echoes")
STANDBY = "standby"
"""The field of everything that happens while Meta's own assistant answers in the number's place (August 2026)."""
EMPTY_BODY = b'{"object":"whatsapp_business_account","entry":[],"from":"relay"}'
"""What the relay's own checks sign: the only body that says nothing on purpose."""

_PLURALS = {"message": "messages", "echo": "echoes", "call": "calls", "status": "statuses", "error": "errors"}

_ACCOUNT_ID = re.compile(r"[0-9]{1,32}")

Item = tuple[str, dict[str, Any]]


def sign(secret: str, raw: bytes) -> str:
    """X-Hub-Signature-256: "sha256=" and hex HMAC-SHA256 of the raw bytes."""
    return "sha256=" + hmac.digest(secret.encode("utf-8", "replace"), raw, "sha256").hex()


def verify(secret: str, raw: bytes, signature: str | None) -> bool:
    """No secret proves nothing."""
    if not secret or not signature:
        return False
    return hmac.compare_digest(signature.encode("utf-8", "replace"), sign(secret, raw).encode())


def split(body: Any) -> Iterator[Part]:
    """Every item of the body, in order; what holds none that can be read is an item itself."""
    for index, (line_ref, address, payload) in enumerate(_items(body)):
        yield Part(line_ref, address, payload, index, *_media(payload))


def keep(body: Any, line_refs: set[str]) -> Any:
    """The body reduced to the changes of the given phone numbers and accounts."""
    entries = []
    for entry in records(record(body).get("entry")):
        changes = [
            change
            for change in records(entry.get("changes"))
            if (_line_ref(record(change.get("value"))) or _account_ref(entry)) in line_refs
        ]
        if changes:
            entries.append({**entry, "changes": changes})
    return {**record(body), "entry": entries}


def _items(body: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Line, address and payload of each item."""
    entries = _members(record(body).get("entry"))
    if not entries and record(body).get("from") != "relay":
        yield "", "", _unreadable("the webhook has no entry", body)
    for entry in entries:
        changes = _members(record(entry).get("changes"))
        if not changes:
            yield "", "", _unreadable("an entry without changes", entry)
        for change in changes:
            yield from _of_change(record(entry), change)


def _of_change(entry: dict[str, Any], change: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    value = record(record(change).get("value"))
    common = {
        "field": clean(record(change).get("field")) or "messages",
        "waba_id": clean(entry.get("id")),
        "metadata": record(value.get("metadata")),
    }
    items = _of_value(value)
    # One by one: whoever splits a large webhook may stop, or let others work, between any two of them.
    for address, item in chain([next(items, ("", _without_items(change)))], items):
        about_account = item["kind"] in ("other", "error")
        yield _line_ref(value) or (_account_ref(entry) if about_account else ""), address, {**common, **item}


def _without_items(change: Any) -> dict[str, Any]:
    if not isinstance(change, dict):
        return _unreadable("a change that is no object", change)
    return {"kind": "other", "value": change.get("value")}


def _of_value(value: dict[str, Any]) -> Iterator[Item]:
    """Messages are messages under whatever field they come: `standby` has them as `messages` has."""
    known = contacts(value)
    for message in _members(value.get("messages")):
        yield _item("message", message, known, ("from", "from_user_id"))
    for echo in (echo for name in ECHOES for echo in _members(value.get(name))):
        yield _item("echo", echo, known, ("to", "to_user_id"))
    for call in _members(value.get("calls")):
        yield _item("call", call, known, ("from", "from_user_id"))
    for status in _members(value.get("statuses")):
        yield _item("status", status, known, ("recipient_id", "recipient_user_id"))
    for error in _members(value.get("errors")):
        yield "", {"kind": "error", "error": error} if isinstance(error, dict) else _stray("error", error)


def _item(kind: str, item: Any, known: dict[str, dict[str, Any]], named: tuple[str, str]) -> Item:
    if not isinstance(item, dict):
        return "", _stray(kind, item)
    contact = matching_contact(known, *(item.get(name) for name in named))
    payload = {"kind": kind, "message" if kind == "echo" else kind: item, "contact": contact}
    return _address(kind, item, contact or {}), payload


def _address(kind: str, item: dict[str, Any], contact: dict[str, Any]) -> str:
    """Of the contact: what is about one contact goes one way."""
    if kind in ("status", "echo") or item.get("direction") == "BUSINESS_INITIATED":
        return recipient_address(item, contact)
    return sender_address(item, contact)


def _members(value: Any) -> list[Any]:
    """Of a list that may be anything: what is not there at all has none."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _stray(kind: str, item: Any) -> dict[str, Any]:
    return _unreadable(f"something among the {_PLURALS[kind]} that is no object", item)


def _unreadable(reason: str, value: Any) -> dict[str, Any]:
    return {"kind": "unreadable", "reason": reason, "value": value}


def _line_ref(value: dict[str, Any]) -> str:
    return clean(record(value.get("metadata")).get("phone_number_id")) or ""


def _account_ref(entry: dict[str, Any]) -> str:
    """Of the WhatsApp business account."""
    named = clean(entry.get("id")) or ""
    return f"{ACCOUNT}{named}" if _ACCOUNT_ID.fullmatch(named) else ""


def _media(payload: dict[str, Any]) -> tuple[str | None, str | None]:
    message = record(payload.get("message"))
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in MEDIA:
        return None, None
    return kind, clean(record(message.get(kind)).get("mime_type"))
