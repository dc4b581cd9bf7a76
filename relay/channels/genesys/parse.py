"""Genesys' webhook objects to canonical events. Raises nothing, whatever the object is.

Source: payloads of a real org (June 2025), SDK models ConversationNormalizedMessage and receipts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from relay.channels.genesys import convention, structured
from relay.channels.genesys.drafts import MessageDraft, drafts
from relay.channels.genesys.webhook import UNREADABLE, customer_address
from relay.channels.http.reading import first, record, records
from relay.channels.http.redaction import kept, redact
from relay.channels.text import clean, unix_seconds
from relay.core.genesys_ids import plain
from relay.core.languages import phrase
from relay.core.messages import Event, Ignored, Message, Notice, Person, Receipt, ReceiptStatus, Typing

LONGEST_ID = 255
"""Characters. Genesys' own have 32; what is longer fits into no index."""
LONGEST_WORD = 64
LONGEST_REASON = 1000

_STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "published": "delivered",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
}


def parse(payload: dict[str, Any]) -> list[Event]:
    """The events of one object. What nobody can read becomes a Notice: the enums keep growing."""
    item = record(payload)
    if not item or set(item) == {UNREADABLE}:
        return [Notice("unreadable", "not an object with something in it")]
    kind = _word(item.get("type"))
    if kind == "receipt":
        return [_receipt(item)]
    address = customer_address(item)
    if not address or len(address) > LONGEST_ID:
        return [Notice("unreadable", f"channel.to.id is {'too long' if address else 'missing'}")]
    if kind == "event" and _is_typing(item):
        return [Typing(Person(address=address))]
    return _written(item, kind, Person(address=address))


def _written(item: dict[str, Any], kind: str, person: Person) -> list[Event]:
    """Messages, or why there are none."""
    source_id = _id(item.get("id")) or _id(record(item.get("channel")).get("messageId")) or _digest(item)
    when = _time(item)
    if _word(item.get("direction")) == "inbound":
        return [Ignored(source_id, person, when, kind or "unknown", phrase("the customer's own message"))]
    found = [draft for draft in drafts(clean(item.get("text")) or "", structured.contents(item)) if draft]
    if not found:
        return [Ignored(source_id, person, when, kind or "unknown", _reason(item, kind))]
    whole = Message(
        source_id=source_id,
        person=person,
        provider_time=when,
        type=kind or "unknown",
        genesys_conversation_id=_id(item.get("conversationId")),
        attributes=_attributes(item),
        parts=len(found),
    )
    return [_message(whole, draft, part) for part, draft in enumerate(found, 1)]


def _message(whole: Message, draft: MessageDraft, part: int) -> Message:
    """One of them, or the template that its text or its layout names."""
    text, template = draft.text, draft.template
    shown = "template" if draft.templated else whole.type if text or not draft.media else draft.media.kind
    message = replace(
        whole,
        source_id=f"{whole.source_id}#{part}" if part > 1 else whole.source_id,
        part=part,
        type=shown,
        text=text or None,
        media=draft.media,
        options=tuple(draft.options),
        opener=draft.opener,
        place=draft.place,
        template=template,
    )
    return message if draft.templated else convention.applied(message)


def _reason(item: dict[str, Any], kind: str) -> str:
    """Why there is nothing to relay."""
    if kind not in ("text", "structured", "event"):
        return phrase("type %(kind)s is not relayed", kind=kind or phrase("none named"))
    if social := structured.social(item):
        return f"{', '.join(social)}: nothing for the customer"
    return phrase("no text and no file in it")


def _receipt(item: dict[str, Any]) -> Event:
    """What Genesys did with a customer's message. `id` is the one its API answered with."""
    word, provider_id = _word(item.get("status")), plain(_id(item.get("id")) or "")
    status = _STATUSES.get(word)
    if not status or not provider_id:
        missing = f"status {word or 'missing'} tells nothing" if provider_id else "a receipt without a usable id"
        return Notice("receipt", missing)
    reason = first(item.get("reasons"))
    code, message = clean(reason.get("code")), clean(reason.get("message"))
    return Receipt(
        provider_id=provider_id,
        status=status,
        time=_time(item),
        code=code[:LONGEST_WORD] if code else None,
        reason=redact(message or code or "", (), LONGEST_REASON) or None,
        answer=kept(item.get("reasons")) if status == "failed" else None,
    )


def _is_typing(item: dict[str, Any]) -> bool:
    return any(_word(event.get("eventType")) == "typing" for event in records(item.get("events")))


def _time(item: dict[str, Any]) -> float:
    return unix_seconds(record(item.get("channel")).get("time"))


def _attributes(item: dict[str, Any]) -> dict[str, str]:
    origin = clean(item.get("originatingEntity"))
    return {"originating_entity": origin[:LONGEST_WORD]} if origin else {}


def _word(value: Any) -> str:
    """One of an enum's, in whatever case it comes."""
    return (clean(value) or "").strip().lower()[:LONGEST_WORD]


def _id(value: Any) -> str | None:
    """An id that can be kept and looked up; "#" parts ours from theirs."""
    found = clean(value)
    return found if found and len(found) <= LONGEST_ID and "#" not in found else None


def _digest(item: dict[str, Any]) -> str:
    """An id for what has none: the same when Genesys repeats itself."""
    try:
        told = json.dumps(item, sort_keys=True)
    except RecursionError:
        told = json.dumps({name: clean(value) for name, value in item.items()}, sort_keys=True)
    return f"sha256:{hashlib.sha256(told.encode()).hexdigest()[:32]}"
