"""The country that a number belongs to."""

from __future__ import annotations

import pytest

from relay.core.contacts.countries import country_of


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("4915112345678", "DE"),
        ("14165550123", "CA"),
        ("15550001111", "US"),  # nobody has it, and +1 is known for the United States
        ("18095550123", "DO"),
        ("77011234567", "KZ"),
        ("79261234567", "RU"),
        ("5511912345678", "BR"),
        ("5215512345678", "MX"),
        ("DE.1349120865530274", "DE"),
        ("BR.ENT.118157992128868", "BR"),
        ("883510012345", ""),  # of no country
        ("12", ""),
        ("999999999999", ""),
        ("", ""),
        ("not a number", ""),
    ],
)
def test_of_numbers_and_of_ids_that_begin_with_a_country(address: str, country: str) -> None:
    assert country_of(address) == country
