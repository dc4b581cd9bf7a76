"""Items of Meta's webhook to canonical events. Raises ParseError, nothing else.

Source: Meta's messages and status webhook references, 2025 and 2026.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from typing import Any

from relay.channels.reading import first, joined, record
from relay.channels.text import clean, unix_seconds
from relay.channels.whatsapp import content
from relay.channels.whatsapp.identity import changed_person, person
from relay.channels.whatsapp.webhook import MEDIA
from relay.core.errors import ParseError
from relay.core.messages import Event, Ignored, Media, MediaKind, Message, Person, Receipt, ReceiptStatus

_STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
_NOTHING_TO_RELAY = {
    "request_welcome": "the chat was opened, nothing was written",
    "ephemeral": "a disappearing message that WhatsApp does not pass on",
}


def parse(payload: dict[str, Any]) -> list[Event]:
    """The events of one item as `split` made it."""
    match record(payload).get("kind"):
        case "message":
            return [_message(record(payload.get("message")), record(payload.get("contact")))]
        case "status":
            return _receipt(record(payload.get("status")))
        case "error":
            error = record(payload.get("error"))
            return [_elsewhere("errors", error, f"reported by WhatsApp: {content.error_notice({'errors': error})}")]
        case "other":
            field = clean(payload.get("field")) or "unknown"
            return [_elsewhere(field, payload.get("value"), f"webhook field {field} is not relayed")]
    raise ParseError("not an item of a WhatsApp webhook")


def _message(message: dict[str, Any], contact: dict[str, Any]) -> Event:
    source_id = clean(message.get("id"))
    kind = clean(message.get("type")) or ""
    if not source_id:
        raise ParseError("message: no id")
    sender = person(message, contact)
    if not sender.address:
        raise ParseError("message: neither from nor from_user_id")
    when = unix_seconds(message.get("timestamp"))
    if kind == "system":
        return _system(source_id, message, sender, when)
    if kind in _NOTHING_TO_RELAY:
        return Ignored(source_id, sender, when, kind, _NOTHING_TO_RELAY[kind])
    media = _media(kind, message)
    text = None if media else _text(kind, message)
    if not media and not (text or "").strip():
        return Ignored(source_id, sender, when, kind, "an empty message")
    return Message(
        source_id=source_id,
        person=sender,
        provider_time=when,
        type=kind or "unknown",
        text=text,
        media=media,
        reply_to=_reply_to(kind, message),
        attributes=_attributes(message, contact),
    )


def _text(kind: str, message: dict[str, Any]) -> str:
    if kind in MEDIA:
        error = content.error_notice(message) or "WhatsApp gave no file"
        return joined((f"[A file that did not arrive: {kind}. {error}]", record(message.get(kind)).get("caption")))
    return content.readable(kind, message)


def _media(kind: str, message: dict[str, Any]) -> Media | None:
    """The file, if it can be had: a message that is too large comes with errors instead."""
    item = record(message.get(kind)) if kind in MEDIA else {}
    media_id = clean(item.get("id"))
    if not media_id:
        return None
    shown: MediaKind = "audio" if kind == "voice" else kind  # type: ignore[assignment]
    return Media(
        kind=shown,
        mime_type=clean(item.get("mime_type")) or "",
        source_id=media_id,
        source_url=clean(item.get("url")),
        filename=clean(item.get("filename")),
        caption=clean(item.get("caption")),
        voice=kind == "voice" or item.get("voice") is True,
    )


def _system(source_id: str, message: dict[str, Any], sender: Person, when: float) -> Ignored:
    system = record(message.get("system"))
    kind = clean(system.get("type")) or "unnamed"
    return Ignored(source_id, changed_person(message) or sender, when, "system", f"system message: {kind}")


def _reply_to(kind: str, message: dict[str, Any]) -> str | None:
    """The message this one is about: quoted, reacted to, edited or deleted."""
    item = record(message.get(kind))
    return (
        clean(item.get("message_id" if kind == "reaction" else "original_message_id"))
        if kind in ("reaction", "edit", "revoke")
        else clean(record(message.get("context")).get("id"))
    )


def _attributes(message: dict[str, Any], contact: dict[str, Any]) -> dict[str, str]:
    """What else is worth showing: where an advertisement led here, what was tapped, the group."""
    referral = record(message.get("referral"))
    context = record(message.get("context"))
    interactive = record(message.get("interactive"))
    tapped = record(interactive.get(clean(interactive.get("type")) or ""))
    found = {
        "referral_url": referral.get("source_url"),
        "referral_headline": referral.get("headline"),
        "referral_click_id": referral.get("ctwa_clid"),
        "product_id": record(context.get("referred_product")).get("product_retailer_id"),
        "forwarded": "true" if context.get("forwarded") or context.get("frequently_forwarded") else None,
        "button_id": tapped.get("id") or record(message.get("button")).get("payload"),
        "group_id": message.get("group_id"),
        "username": (clean(record(contact.get("profile")).get("username")) or "").removeprefix("@"),
    }
    return {key: text[:1000] for key, value in found.items() if (text := clean(value))}


def _receipt(status: dict[str, Any]) -> list[Event]:
    known = _STATUSES.get(clean(status.get("status")) or "")
    provider_id = clean(status.get("id"))
    if not known or not provider_id or status.get("type") == "call":
        return []
    error = first(status.get("errors"))
    details = clean(record(error.get("error_data")).get("details"))
    return [
        Receipt(
            provider_id=provider_id,
            status=known,
            time=unix_seconds(status.get("timestamp")),
            message_id=_own_id(status.get("biz_opaque_callback_data")),
            code=clean(error.get("code")),
            reason=details or clean(error.get("message")) or clean(error.get("title")),
        )
    ]


def _own_id(value: Any) -> str | None:
    """Our message id as Meta echoes it; other senders of the same number put in what they like."""
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        return None


def _elsewhere(kind: str, value: Any, reason: str) -> Ignored:
    """Something no contact wrote. It has no id of its own; the same content gets the same one."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]
    return Ignored(f"{kind}:{digest}", Person(address=""), time.time(), kind, reason)
