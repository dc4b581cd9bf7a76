"""What happened on the number without the relay: the business wrote from its own app, or somebody called.

Source: Meta's smb_message_echoes, standby and calls references, 2025 and 2026.
"""

from __future__ import annotations

from dataclasses import replace

from relay.channels.base import JsonObject
from relay.channels.http.reading import joined, record
from relay.channels.text import clean, unix_seconds
from relay.channels.whatsapp.fields import STANDBY
from relay.channels.whatsapp.identity import addressee, digits, echoed, person
from relay.channels.whatsapp.inbound import notices
from relay.channels.whatsapp.inbound.message import read, source_id
from relay.channels.whatsapp.inbound.surroundings import window_until
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND
from relay.core.languages import phrase
from relay.core.messages import COPY, Ignored, Message, Notice

_APP_LINE = phrase("[The business wrote from its own WhatsApp Business app]")


def echo(item: JsonObject) -> Message | Ignored | Notice:
    """News for the agent. The person is the customer, for it is their conversation."""
    message, contact = echoed(record(item.get("message"))), record(item.get("contact"))
    to = addressee(message, contact)
    if not to.address:
        return notices.unreadable("an echo that names no customer: neither to nor to_user_id, or a group")
    if to.wa_id and to.wa_id == digits(clean(record(item.get("metadata")).get("display_phone_number"))):
        return notices.unreadable("an echo to the business's own number: the business is not its own customer")
    standby = item.get("field") == STANDBY
    found = read(message, contact, to)
    if isinstance(found, Ignored):
        return replace(found, window_until=None)
    told = replace(found, source_id=f"{COPY}{found.source_id}") if standby else _by_app(found)
    return replace(
        told,
        answer=None,
        window_until=None,
        notice=True,
    )


def _by_app(found: Message) -> Message:
    text = joined((_APP_LINE, found.text))
    return replace(found, text=text, attributes={**found.attributes, "echo": "app"})


def call(item: JsonObject) -> Ignored | Notice:
    """Calls are not relayed; a customer's call lets the business write for a day."""
    found, contact = record(item.get("call")), record(item.get("contact"))
    outgoing = found.get("direction") == "BUSINESS_INITIATED"
    who = addressee(found, contact) if outgoing else person(found, contact)
    if not who.address:
        return notices.unreadable("a call that names no contact")
    when = unix_seconds(found.get("timestamp"))
    happened = (clean(found.get("event")) or "no event")[:LONGEST_KIND]
    begun = "a call to the customer" if outgoing else "a call by the customer"
    return Ignored(
        # Its beginning and its end have the same id.
        f"{source_id(found, who)}:{happened}",
        who,
        when,
        "call",
        f"{begun}, which is not relayed: {happened}",
        None if outgoing else window_until({}, when),
    )
