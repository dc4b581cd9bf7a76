"""System messages: what WhatsApp itself says about a contact. News for the agent, written by nobody.

Source: Meta's system messages reference and its changes of August 2026; the customer_* kinds are older.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from relay.channels.http.reading import joined, record
from relay.channels.text import clean
from relay.channels.whatsapp.identity import changed_person, digits, person
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND
from relay.core.languages import bracketed, phrase
from relay.core.messages import Message

_NUMBER_CHANGED = ("user_changed_number", "customer_changed_number")
_LONGEST = 500


def event(source_id: str, message: dict[str, Any], when: float) -> Message:
    """The person carries the new ids, and in `previous` the old ones."""
    system = record(message.get("system"))
    kind = (clean(system.get("type")) or "unnamed")[:LONGEST_KIND]
    return Message(
        source_id=source_id,
        person=changed_person(message) or person(message, {}),
        provider_time=when,
        type="system",
        text=bracketed(_text(kind, system, message)),
        attributes={"system_type": kind},
        notice=True,
    )


def _text(kind: str, system: dict[str, Any], message: dict[str, Any]) -> str:
    if kind in _NUMBER_CHANGED:
        return _number_changed(system, message)
    if kind == "user_changed_user_id":
        return phrase("WhatsApp gave this customer a new user id. The conversation goes on as before.")
    if kind == "customer_identity_changed":
        return phrase(
            "This customer's WhatsApp security code has changed: perhaps a new phone, or WhatsApp installed anew."
        )
    return phrase("WhatsApp reports: %(body)s", body=_body(system) or kind)


def _number_changed(system: dict[str, Any], message: dict[str, Any]) -> str:
    new = digits(clean(system.get("wa_id")) or clean(system.get("new_wa_id")))
    old = digits(clean(message.get("from"))) or digits(clean(system.get("customer")))
    if not new:
        return joined((phrase("This customer has changed the phone number."), _body(system)), " ")
    if old and old != new:
        return phrase(
            "This customer has changed the phone number from +%(old)s to +%(new)s. The conversation goes on as before.",
            old=old,
            new=new,
        )
    return phrase(
        "This customer has changed the phone number to +%(new)s. The conversation goes on as before.", new=new
    )


def _body(system: dict[str, Any]) -> str:
    """Without the invisible direction marks that WhatsApp puts around numbers."""
    text = (clean(system.get("body")) or "")[:_LONGEST]
    return "".join(character for character in text if unicodedata.category(character) != "Cf").strip()
