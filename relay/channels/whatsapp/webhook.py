"""Meta's webhook body: proof of origin, and its updates. Never raises, whatever the body is.

Source: Meta's webhook pages. Several entries, changes and updates per POST are normal, and
everything unknown has to be lived with: what is refused is repeated for days.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from relay.channels.base import account_ref
from relay.channels.http.reading import record, records
from relay.channels.raw_update import RawUpdate
from relay.channels.text import clean
from relay.channels.whatsapp.fields import HANDOVERS, STANDBY, Field, ListName, known_as
from relay.channels.whatsapp.identity import (
    contacts,
    digits,
    echoed,
    handed_over,
    matching_contact,
    recipient_address,
    sender_address,
)

MEDIA = ("image", "video", "audio", "voice", "document", "sticker")
EMPTY_BODY = b'{"object":"whatsapp_business_account","entry":[],"from":"relay"}'
"""What the relay's own checks sign: the only body that says nothing on purpose."""

_KINDS: dict[ListName, str] = {
    "messages": "message",
    "message_echoes": "echo",
    "echoes": "echo",
    "calls": "call",
    "statuses": "status",
}
_NAMED = {
    "message": ("from", "from_user_id"),
    "echo": ("to", "to_user_id"),
    "call": ("from", "from_user_id"),
    "status": ("recipient_id", "recipient_user_id"),
}
"""Where an update of each kind names the contact."""
_PLURALS = {"message": "messages", "echo": "echoes", "call": "calls", "status": "statuses", "error": "errors"}

_NUMBER_NAMES = ("phone_number", "display_phone_number")
"""Where news of one number name it."""
_ACCOUNT_ID = re.compile(r"[0-9]{1,32}")

AddressedUpdate = tuple[str, dict[str, Any]]


def sign(secret: str, raw: bytes) -> str:
    """X-Hub-Signature-256: "sha256=" and hex HMAC-SHA256 of the raw bytes."""
    return "sha256=" + hmac.digest(secret.encode("utf-8", "replace"), raw, "sha256").hex()


def verify(secret: str, raw: bytes, signature: str | None) -> bool:
    """No secret proves nothing."""
    if not secret or not signature:
        return False
    return hmac.compare_digest(signature.encode("utf-8", "replace"), sign(secret, raw).encode())


def split(body: Any) -> Iterator[RawUpdate]:
    """Every update of the body, in order; what holds none that can be read is an update itself."""
    for index, (line_ref, address, payload) in enumerate(_updates(body)):
        yield RawUpdate(line_ref, address, payload, index, *_media(payload))


def keep(body: Any, line_refs: set[str]) -> Any:
    """The body reduced to the changes of the given phone numbers and accounts."""
    entries = []
    for entry in records(record(body).get("entry")):
        changes = [one for one in records(entry.get("changes")) if _is_of(entry, one, line_refs)]
        if changes:
            entries.append({**entry, "changes": changes})
    return {**record(body), "entry": entries}


def rewrite(body: Any, line_refs: set[str], change: Callable[[Any], Any]) -> Any:
    """The body with the changes of the given numbers and accounts put through `change`; None where none is left."""
    held_entries = _members(record(body).get("entry"))
    if not held_entries:
        return body
    entries = []
    for entry in held_entries:
        held = record(entry).get("changes")
        if not isinstance(held, list):
            entries.append(entry)
            continue
        changed = (change(one) if _is_of(entry, record(one), line_refs) else one for one in held)
        kept = [one for one in changed if one is not None]
        if kept or not held:
            entries.append({**entry, "changes": kept})
    return {**record(body), "entry": entries} if entries else None


def _is_of(entry: dict[str, Any], change: dict[str, Any], line_refs: set[str]) -> bool:
    value = record(change.get("value"))
    return (_line_ref(value) or _account_ref(entry, value)) in line_refs


def _updates(body: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Line, address and payload of each update."""
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
    named = clean(record(change).get("field")) or "messages"
    common = {"field": named, "waba_id": clean(entry.get("id")), "metadata": record(value.get("metadata"))}
    updates = _handover(value) if named == HANDOVERS else _of_value(known_as(named), _told(named, value))
    # One by one: whoever splits a large webhook may stop, or let others work, between any two of them.
    for address, update in chain([next(updates, ("", _without_updates(change)))], updates):
        about_account = update["kind"] in ("other", "error")
        yield _line_ref(value) or (_account_ref(entry, value) if about_account else ""), address, {**common, **update}


def _told(field: str, value: dict[str, Any]) -> dict[str, Any]:
    """The value with its lists: `standby` may have them one object deeper."""
    return {**value, **record(value.get(STANDBY))} if field == STANDBY else value


def _without_updates(change: Any) -> dict[str, Any]:
    if not isinstance(change, dict):
        return _unreadable("a change that is no object", change)
    return {"kind": "other", "value": change.get("value")}


def _handover(value: dict[str, Any]) -> Iterator[AddressedUpdate]:
    """Goes the way of its contact's messages. Where it names none it is news of the number."""
    address = sender_address(handed_over(value), {})
    if address:
        yield address, {"kind": "handover", "handover": value}


def _of_value(field: Field, value: dict[str, Any]) -> Iterator[AddressedUpdate]:
    known = contacts(value)
    own = digits(clean(record(value.get("metadata")).get("display_phone_number")))
    recap = record(value.get("conversation_context"))
    for name in field.lists:
        for member in _members(value.get(name)):
            if name == "errors":
                yield "", {"kind": "error", "error": member} if isinstance(member, dict) else _stray("error", member)
                continue
            address, update = _addressed(_kind(name, member, own), member, known)
            if recap and update["kind"] == "message":  # it is about the first, and shown once
                update, recap = {**update, "conversation_context": recap}, {}
            yield address, update


def _kind(name: ListName, member: Any, own: str | None) -> str:
    """The business is never its own customer: what its own number wrote is an echo, whichever list has it."""
    kind = _KINDS[name]
    sender = clean(record(member).get("from"))
    return "echo" if kind == "message" and own and digits(sender) == own else kind


def _addressed(kind: str, update: Any, known: dict[str, dict[str, Any]]) -> AddressedUpdate:
    if not isinstance(update, dict):
        return "", _stray(kind, update)
    flat = echoed(update) if kind == "echo" else update
    contact = matching_contact(known, *(flat.get(name) for name in _NAMED[kind]))
    payload = {"kind": kind, "message" if kind == "echo" else kind: update, "contact": contact}
    return _address(kind, flat, contact or {}), payload


def _address(kind: str, update: dict[str, Any], contact: dict[str, Any]) -> str:
    """Of the contact: what is about one contact goes one way."""
    if kind in ("status", "echo") or update.get("direction") == "BUSINESS_INITIATED":
        return recipient_address(update, contact)
    return sender_address(update, contact)


def _members(value: Any) -> list[Any]:
    """Of a list that may be anything: what is not there at all has none."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _stray(kind: str, update: Any) -> dict[str, Any]:
    return _unreadable(f"something among the {_PLURALS[kind]} that is no object", update)


def _unreadable(reason: str, value: Any) -> dict[str, Any]:
    return {"kind": "unreadable", "reason": reason, "value": value}


def _line_ref(value: dict[str, Any]) -> str:
    """A handover names its number as its recipient."""
    named = (record(value.get(where)).get("phone_number_id") for where in ("metadata", "recipient"))
    return next(filter(None, map(clean, named)), "")


def _account_ref(entry: dict[str, Any], value: dict[str, Any]) -> str:
    """Of the WhatsApp business account, with the number that the news is about. News of partners name the account
    inside, and the business portfolio where it usually stands."""
    named = clean(record(value.get("waba_info")).get("waba_id")) or clean(entry.get("id")) or ""
    number = next(filter(None, (digits(clean(value.get(name))) for name in _NUMBER_NAMES)), None)
    return account_ref(named, number or "") if _ACCOUNT_ID.fullmatch(named) else ""


def _media(payload: dict[str, Any]) -> tuple[str | None, str | None]:
    message = record(payload.get("message"))
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in MEDIA:
        return None, None
    return kind, clean(record(message.get(kind)).get("mime_type"))
