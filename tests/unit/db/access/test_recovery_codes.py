"""Recovery codes: too long to be found from their hash, and short enough to be typed."""

from __future__ import annotations

from db.access import second_factor

BITS_OF_A_CHARACTER = 5
FEWEST_BITS = 112
"""With fewer a plain hash, without salt and quick to make, would not do."""


def test_a_recovery_code_cannot_be_found_from_its_plain_hash() -> None:
    codes, hashes = second_factor._recovery_codes()
    assert len(set(codes)) == len(set(hashes)) == second_factor.RECOVERY_CODES
    for code in codes:
        assert len(second_factor.plain(code)) * BITS_OF_A_CHARACTER >= FEWEST_BITS
        assert len(code) <= 40  # what the page for it takes
