"""Who is who at WhatsApp: phone digits, business-scoped user ids (BSUID), parents of those.

Source: Meta's BSUID pages of 2026. Since usernames exist, any of the ids may be missing.
"""

from __future__ import annotations

import re
from typing import Any

from relay.channels.reading import record, records
from relay.channels.text import clean
from relay.core.messages import Person

_BSUID = re.compile(r"[A-Za-z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_CHANGES = ("user_changed_number", "user_changed_user_id", "customer_changed_number")


def is_bsuid(address: str) -> bool:
    """A BSUID has a dot behind its country letters; a phone number never has."""
    return _BSUID.fullmatch(address) is not None


def digits(address: str | None) -> str | None:
    """The digits of a phone number as WhatsApp writes them, None where there are none."""
    if not address or is_bsuid(address):
        return None
    return re.sub(r"[^0-9]", "", address) or None


def sender_address(message: dict[str, Any], contact: dict[str, Any]) -> str:
    """The sender as the webhook gives it; "" when nobody is named."""
    system = record(message.get("system"))
    named = (
        message.get("from"),
        message.get("from_user_id"),
        contact.get("wa_id"),
        contact.get("user_id"),
        system.get("previous_user_id"),
        system.get("user_id"),
        system.get("wa_id"),
    )
    return next((found for found in map(clean, named) if found), "")


def recipient_address(status: dict[str, Any]) -> str:
    """The recipient of a status as the webhook gives it."""
    return clean(status.get("recipient_id")) or clean(status.get("recipient_user_id")) or ""


def matching_contact(value: dict[str, Any], sender: tuple[Any, Any]) -> dict[str, Any] | None:
    """The contact of a message or status. The lists run parallel by sender, not by place."""
    phone, user_id = sender
    contacts = list(records(value.get("contacts")))
    for contact in contacts:
        if _same(contact.get("wa_id"), phone) or _same(contact.get("user_id"), user_id, phone):
            return contact
    return contacts[0] if len(contacts) == 1 and not (phone or user_id) else None


def _same(known: Any, *named: Any) -> bool:
    return bool(known) and isinstance(known, str) and known in named


def person(message: dict[str, Any], contact: dict[str, Any]) -> Person:
    """The sender by every name the webhook gives."""
    address = sender_address(message, contact)
    phone = clean(message.get("from"))
    profile = record(contact.get("profile"))
    username = (clean(profile.get("username")) or "").removeprefix("@")
    return Person(
        address=address,
        wa_id=digits(phone) or digits(clean(contact.get("wa_id"))),
        bsuid=clean(message.get("from_user_id")) or clean(contact.get("user_id")) or _as_bsuid(phone),
        parent_bsuid=clean(message.get("from_parent_user_id")) or clean(contact.get("parent_user_id")),
        name=clean(profile.get("name")) or username or None,
    )


def _as_bsuid(address: str | None) -> str | None:
    return address if address and is_bsuid(address) else None


def changed_person(message: dict[str, Any]) -> Person | None:
    """The person after a system message that says number or user id changed; None for any other."""
    system = record(message.get("system"))
    if system.get("type") not in _CHANGES:
        return None
    new = {
        "wa_id": digits(clean(system.get("wa_id")) or clean(system.get("new_wa_id"))),
        "bsuid": clean(system.get("user_id")),
        "parent_bsuid": clean(system.get("parent_user_id")),
    }
    old = (
        digits(clean(message.get("from"))),
        _as_bsuid(clean(message.get("from"))),
        digits(clean(system.get("customer"))),
        clean(message.get("from_user_id")),
        clean(message.get("from_parent_user_id")),
        clean(system.get("previous_user_id")),
        clean(system.get("previous_parent_user_id")),
    )
    previous = tuple(dict.fromkeys(item for item in old if item and item not in new.values()))
    return Person(address=sender_address(message, {}), previous=previous, **new)
