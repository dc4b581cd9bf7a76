"""What Meta charges for a message, as a status says it.

Source: Meta's pages on pricing and its status webhook as of November 2026: `pricing` stands in `sent` and in one of
`delivered` and `read`; charged is what was delivered.
"""

from __future__ import annotations

from relay.channels.base import JsonObject
from relay.channels.http.reading import record
from relay.channels.text import clean
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND
from relay.core.contacts.countries import country_of
from relay.core.prices import Price

CHARGED = ("delivered", "read")
"""`sent` names a price too; it is charged with one of these only."""


def price_told(status: JsonObject, addresses: tuple[str, ...]) -> Price | None:
    """None where the status names no category. `addresses`: the contact's, a phone number first where there is one."""
    told = record(status.get("pricing"))
    category = _word(told, "category")
    if not category:
        return None
    country = next(filter(None, map(country_of, addresses)), "")
    return Price(category, _word(told, "type"), _word(told, "subtype"), country)


def _word(told: JsonObject, name: str) -> str:
    return (clean(told.get(name)) or "")[:LONGEST_KIND]
