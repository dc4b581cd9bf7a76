"""Who is who at WhatsApp: phone digits, business-scoped user ids (BSUID), parents of those.

Source: Meta's BSUID pages of 2026. Since usernames exist, any of the ids may be missing.
"""

from __future__ import annotations

import re
from typing import Any

from relay.channels.http.reading import first, record, records
from relay.channels.text import clean
from relay.core.contacts.user_ids import begins_like_one, is_user_id
from relay.core.messages import Person
from relay.core.visible import trimmed

_CHANGES = ("user_changed_number", "user_changed_user_id", "customer_changed_number")
_LONGEST_ADDRESS = 256
_LONGEST_NUMBER = 20
_LONGEST_NAME = 256
_LONGEST_SHOWN = 4 * _LONGEST_NAME
"""Looked at: what cannot be seen at its ends counts for nothing."""


def digits(address: str | None) -> str | None:
    """The digits of a phone number as WhatsApp writes them, None where there are none, or too many."""
    if not address or len(address) > _LONGEST_ADDRESS or begins_like_one(address):
        return None
    found = re.sub(r"[^0-9]", "", address)
    return found if 0 < len(found) <= _LONGEST_NUMBER else None


def sender_address(message: dict[str, Any], contact: dict[str, Any]) -> str:
    """The sender as the webhook gives it; "" when nobody is named."""
    system = record(message.get("system"))
    return _first_address(
        message.get("from"),
        message.get("from_user_id"),
        contact.get("wa_id"),
        contact.get("user_id"),
        system.get("previous_user_id"),
        system.get("user_id"),
        system.get("wa_id"),
    )


def recipient_address(item: dict[str, Any], contact: dict[str, Any]) -> str:
    """The recipient of a status, an echo or a call as the webhook gives it; "" when nobody is named, as in a group."""
    if item.get("group_id"):
        return ""
    named = (item.get(name) for name in ("recipient_id", "recipient_user_id", "to", "to_user_id"))
    return _first_address(*named, contact.get("wa_id"), contact.get("user_id"))


def contacts(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The contacts of a change by each of their addresses, with "" for the only one there is."""
    found: dict[str, dict[str, Any]] = {}
    listed = list(records(value.get("contacts")))
    for contact in listed:
        for address in (contact.get("wa_id"), contact.get("user_id")):
            if isinstance(address, str) and address:
                found.setdefault(address, contact)
    return {**found, "": listed[0]} if len(listed) == 1 else found


def matching_contact(known: dict[str, dict[str, Any]], phone: Any, user_id: Any) -> dict[str, Any] | None:
    """The contact of a message or status. The lists run parallel by sender, not by place."""
    named = [address for address in (phone, user_id) if isinstance(address, str) and address]
    return next((known[address] for address in named or [""] if address in known), None)


def echoed(echo: dict[str, Any]) -> dict[str, Any]:
    """An echo with what was sent one object deeper, as its sender wrote it, in the form of the others."""
    sent = record(echo.get("message"))
    if not sent or "type" in echo:
        return echo
    named = {"to_user_id": sent.get("recipient")} if sent.get("recipient") else {}
    return {**sent, **named, **{name: value for name, value in echo.items() if name != "message"}}


def handed_over(handover: dict[str, Any]) -> dict[str, Any]:
    """Whose conversation a handover is about, as a message would name its sender. All of it may be missing."""
    named = record(handover.get("sender"))
    phone = _address(named.get("phone_number")) or _address(named.get("wa_id"))
    return {"from": digits(phone) or phone, "from_user_id": named.get("user_id")}


def person(message: dict[str, Any], contact: dict[str, Any]) -> Person:
    """The sender by every name the webhook gives."""
    phone = _address(message.get("from"))
    parent = _address(message.get("from_parent_user_id"))
    return _person(sender_address(message, contact), phone, _address(message.get("from_user_id")), parent, contact)


def addressee(item: dict[str, Any], contact: dict[str, Any]) -> Person:
    """The recipient of what the business sent from elsewhere."""
    phone = _address(item.get("to"))
    parent = _address(item.get("to_parent_user_id"))
    return _person(recipient_address(item, contact), phone, _address(item.get("to_user_id")), parent, contact)


def changed_person(message: dict[str, Any]) -> Person | None:
    """The person after a system message that says number or user id changed; None for any other."""
    system = record(message.get("system"))
    if system.get("type") not in _CHANGES:
        return None
    new = {
        "wa_id": digits(clean(system.get("wa_id")) or clean(system.get("new_wa_id"))),
        "bsuid": _address(system.get("user_id")),
        "parent_bsuid": _address(system.get("parent_user_id")),
    }
    old = (
        digits(clean(message.get("from"))),
        _as_bsuid(_address(message.get("from"))),
        digits(clean(system.get("customer"))),
        _address(message.get("from_user_id")),
        _address(message.get("from_parent_user_id")),
        _address(system.get("previous_user_id")),
        _address(system.get("previous_parent_user_id")),
    )
    previous = tuple(dict.fromkeys(item for item in old if item and item not in new.values()))
    return Person(address=sender_address(message, {}), previous=previous, **new)


def shared_number(message: dict[str, Any]) -> str | None:
    """A person's own number, given when asked for it: how somebody known by a BSUID alone gets one."""
    card = first(message.get("contacts"))
    phone = first(card.get("phones"))
    if card.get("origin") != "contact_request":
        return None
    return digits(clean(phone.get("wa_id")) or clean(phone.get("phone")))


def aliases(status: dict[str, Any], contact: dict[str, Any]) -> tuple[str, ...]:
    """Addresses of the contact that a status names. A group's status names the group, and many people."""
    if status.get("recipient_type") == "group" or status.get("recipient_participant_id"):
        return ()
    named = _address(status.get("recipient_id"))
    known = (
        digits(named) or _as_bsuid(named),
        _address(status.get("recipient_user_id")),
        _address(status.get("recipient_parent_user_id")) or _address(status.get("parent_recipient_user_id")),
        digits(_address(contact.get("wa_id"))),
        _address(contact.get("user_id")),
        _address(contact.get("parent_user_id")),
    )
    return tuple(dict.fromkeys(address for address in known if address))


def _person(address: str, phone: str | None, bsuid: str | None, parent: str | None, contact: dict[str, Any]) -> Person:
    profile = record(contact.get("profile"))
    username = (
        trimmed((clean(profile.get("username")) or "")[:_LONGEST_SHOWN]).removeprefix("@")[:_LONGEST_NAME] or None
    )
    return Person(
        address=address,
        wa_id=digits(phone) or digits(_address(contact.get("wa_id"))),
        bsuid=bsuid or _address(contact.get("user_id")) or _as_bsuid(phone),
        parent_bsuid=parent or _address(contact.get("parent_user_id")),
        name=trimmed((clean(profile.get("name")) or "")[:_LONGEST_SHOWN])[:_LONGEST_NAME] or username,
        username=username,
    )


def _first_address(*named: Any) -> str:
    return next((found for found in map(_address, named) if found), "")


def _address(value: Any) -> str | None:
    """An address as it stands. What is longer than any of them names nobody, and fits into no index."""
    found = (clean(value) or "").strip()
    return found if 0 < len(found) <= _LONGEST_ADDRESS else None


def _as_bsuid(address: str | None) -> str | None:
    return address if address and is_user_id(address) else None
