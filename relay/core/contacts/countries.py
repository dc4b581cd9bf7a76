"""Which country a contact's number belongs to, and so which market of a rate card."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException

from relay.core.contacts.user_ids import country_of as named_by

NOWHERE = "001"
"""What the library says of numbers that belong to no country, such as +883."""


@lru_cache(maxsize=4096)
def country_of(address: str) -> str:
    """Of a phone number's digits with country code, or of a business-scoped user id, which begins with a country.

    As ISO 3166 writes it, "DE"; "" where it cannot be told. Of a number that its country has not given out, the
    country that its code is known for: +1 555 is the United States.
    """
    if found := named_by(address):
        return found
    try:
        number = phonenumbers.parse(f"+{address}")
    except NumberParseException:
        return ""
    found = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
    return "" if found in (NOWHERE, phonenumbers.UNKNOWN_REGION) else found
