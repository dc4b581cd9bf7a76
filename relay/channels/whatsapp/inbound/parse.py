"""Items of Meta's webhook to canonical events. Odd data never raises: it is shown, or becomes a Notice.

Source: Meta's messages and status webhook references, 2025 and 2026.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from relay.channels.base import JsonObject
from relay.channels.http.reading import first, record
from relay.channels.http.redaction import redact
from relay.channels.text import clean, unix_seconds
from relay.channels.whatsapp.errors import alarming, cause, fate_of, told, worded
from relay.channels.whatsapp.fields import STANDBY
from relay.channels.whatsapp.identity import aliases, person, shared_number
from relay.channels.whatsapp.inbound import echoes, handovers, notices, system
from relay.channels.whatsapp.inbound.content import kind_of
from relay.channels.whatsapp.inbound.message import read, source_id
from relay.channels.whatsapp.inbound.pricing import CHARGED, price_told
from relay.channels.whatsapp.inbound.surroundings import window_told
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND, identifier
from relay.core.errors import ParseError
from relay.core.messages import COPY, Event, Ignored, Message, Notice, Receipt, ReceiptStatus
from relay.core.threads import ThreadFact

_STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
_LONGEST_REASON = 1000


def parse(payload: dict[str, Any]) -> list[Event]:
    """The events of one item as `split` made it. Raises ParseError for what it never makes."""
    item = record(payload)
    match item.get("kind"):
        case "message":
            return _with_recap(item, _message(item))
        case "handover":
            return handovers.events(item)
        case "echo":
            return [echoes.echo(item)]
        case "call":
            return [echoes.call(item)]
        case "status":
            return [_receipt(record(item.get("status")), record(item.get("contact")))]
        case "error" | "other" | "unreadable":
            return [notices.notice(item)]
    raise ParseError("not an item of a WhatsApp webhook")


def _message(item: JsonObject) -> Event:
    message, contact = record(item.get("message")), record(item.get("contact"))
    sender = person(message, contact)
    if not sender.address:
        return notices.unreadable("a message that names no sender: neither from nor from_user_id")
    if kind_of(message) == "system":
        return system.event(source_id(message, sender), message, unix_seconds(message.get("timestamp")))
    if not sender.wa_id and kind_of(message) == "contacts":
        sender = replace(sender, wa_id=shared_number(message))
    found = read(message, contact, sender)
    if item.get("field") != STANDBY or isinstance(found, Ignored):
        return found
    return replace(found, source_id=f"{COPY}{found.source_id}")


def _with_recap(item: JsonObject, event: Event) -> list[Event]:
    """What an assistant says of the conversation stands before the message that it came with."""
    if not isinstance(event, Message) or item.get("field") == STANDBY:
        return [event]
    return [*handovers.recap(item.get("conversation_context"), event.person, event.provider_time), event]


def _receipt(status: JsonObject, contact: JsonObject) -> Receipt | Notice:
    named = (clean(status.get("status")) or "")[:LONGEST_KIND]
    provider_id = identifier(status.get("id"))
    if status.get("type") == "call":
        return Notice("calls", f"a call's status, which is not relayed: {named or 'none named'}")
    if named not in _STATUSES:
        return Notice("statuses", f"a status that the relay does not know: {named or 'none named'}")
    if not provider_id:
        return Notice("statuses", f"the status {named} of no message: its id is missing")
    error = first(status.get("errors"))
    details = clean(record(error.get("error_data")).get("details"))
    reason = details or clean(error.get("message")) or clean(error.get("title"))
    named_by = aliases(status, contact)
    failed, code = _STATUSES[named] == "failed", clean(error.get("code"))
    reason = worded(code, reason) if failed else reason
    when = unix_seconds(status.get("timestamp"))
    return Receipt(
        provider_id=provider_id,
        status=_STATUSES[named],
        time=when,
        message_id=_own_id(status.get("biz_opaque_callback_data")),
        code=(code or "")[:LONGEST_KIND] or None,
        reason=redact(reason, (), _LONGEST_REASON) if reason else None,
        aliases=named_by,
        answer=told(status) if failed else None,
        fate=fate_of(code) if failed else None,
        of_line=failed and alarming(code),
        window_until=window_told(status),
        price=price_told(status, named_by) if _STATUSES[named] in CHARGED else None,
        # Told in whole seconds, and after the message was taken.
        thread=ThreadFact("elsewhere", when + 1.0) if failed and cause(code) == "elsewhere" else None,
    )


def _own_id(value: Any) -> str | None:
    """Our message id as Meta echoes it; other senders of the same number put in what they like."""
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        return None
