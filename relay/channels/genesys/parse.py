"""Genesys' webhook objects to canonical events. Raises ParseError, nothing else.

Source: payloads of a real org (June 2025), SDK models ConversationNormalizedMessage and receipts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from relay.channels.genesys.structured import readable
from relay.channels.genesys.webhook import attachments, customer_address, media_kind
from relay.channels.reading import first, joined, record, records
from relay.channels.text import clean, unix_seconds
from relay.core.errors import ParseError
from relay.core.messages import Event, Ignored, Media, Message, Person, Receipt, ReceiptStatus, Typing

_STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "published": "delivered",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
}


def parse(payload: dict[str, Any]) -> list[Event]:
    """The events of one object. Unknown types are kept as Ignored: the enums keep growing."""
    item = record(payload)
    kind = (clean(item.get("type")) or "").lower()
    if kind == "receipt":
        return _receipt(item)
    source_id = clean(item.get("id")) or clean(record(item.get("channel")).get("messageId"))
    address = customer_address(item)
    if not source_id or not address:
        raise ParseError(f"{'id' if not source_id else 'channel.to.id'} is missing")
    person = Person(address=address)
    if kind == "event" and _is_typing(item):
        return [Typing(person)]
    if kind in ("text", "structured"):
        return _messages(item, source_id, person, kind)
    return [Ignored(source_id, person, _time(item), kind or "unknown", f"type {kind or 'missing'} is not relayed")]


def _messages(item: dict[str, Any], source_id: str, person: Person, kind: str) -> list[Event]:
    """The text and the first file together, every further file as a part of its own."""
    files = [file for file in map(_media, attachments(item)) if file]
    text = joined((readable(item), *map(_link, attachments(item))))
    if not text and not files:
        return [Ignored(source_id, person, _time(item), kind, "no text and no file in it")]
    whole = Message(
        source_id=source_id,
        person=person,
        provider_time=_time(item),
        type=kind if text or not files else files[0].kind,
        text=text or None,
        media=files[0] if files else None,
        genesys_conversation_id=clean(item.get("conversationId")),
        attributes=_attributes(item),
        parts=max(1, len(files)),
    )
    further = [
        replace(whole, source_id=f"{source_id}#{n}", part=n, text=None, media=file, type=file.kind)
        for n, file in enumerate(files[1:], 2)
    ]
    return [whole, *further]


def _media(attachment: dict[str, Any]) -> Media | None:
    url = clean(attachment.get("url"))
    if not url or media_kind(attachment) == "link":
        return None
    size = attachment.get("contentSizeBytes")
    return Media(
        kind=media_kind(attachment),  # type: ignore[arg-type]
        mime_type=clean(attachment.get("mime")) or "",
        source_id=clean(attachment.get("id")),
        source_url=url,
        filename=clean(attachment.get("filename")),
        caption=clean(attachment.get("text")),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None,
    )


def _link(attachment: dict[str, Any]) -> str | None:
    """An attachment of mediaType Link is an address, not a file."""
    if media_kind(attachment) != "link":
        return None
    return joined((attachment.get("text"), attachment.get("url")), ": ")


def _receipt(item: dict[str, Any]) -> list[Event]:
    """What Genesys did with a customer's message. `id` is the one its API answered with."""
    status = _STATUSES.get((clean(item.get("status")) or "").lower())
    provider_id = clean(item.get("id"))
    if not status or not provider_id:
        return []
    reason = first(item.get("reasons"))
    code, message = clean(reason.get("code")), clean(reason.get("message"))
    return [Receipt(provider_id, status, _time(item), code=code, reason=message or code)]


def _is_typing(item: dict[str, Any]) -> bool:
    return any(event.get("eventType") == "Typing" for event in records(item.get("events")))


def _time(item: dict[str, Any]) -> float:
    return unix_seconds(record(item.get("channel")).get("time"))


def _attributes(item: dict[str, Any]) -> dict[str, str]:
    origin = clean(item.get("originatingEntity"))
    return {"originating_entity": origin} if origin else {}
