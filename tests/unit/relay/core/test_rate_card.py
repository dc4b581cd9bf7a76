"""Rate cards: what a file must look like, what is said where it does not, and what messages cost by them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from relay.core import costs
from relay.core.costs import CountedPrice, ToldCharge
from relay.core.rate_card import BYTES, ERRORS, CardRefused, read

HEAD = "valid_from,currency,market,countries,category,rate\n"
CARD = (
    f"{HEAD}2026-10-01,EUR,Germany,DE,utility,0.05\n"
    "2026-10-01,EUR,Germany,DE,service,0.01\n"
    "2026-10-01,EUR,Alps,AT CH,utility,0.04\n"
    "2026-10-01,EUR,Other,*,utility,0.02\n"
    "2027-01-01,EUR,Germany,DE,utility,0.06\n"
    "2026-10-01,USD,Germany,DE,utility,0.055\n"
)
OCTOBER, NOVEMBER, JANUARY = date(2026, 10, 1), date(2026, 11, 1), date(2027, 1, 1)


def counted(
    total: int, category: str = "utility", kind: str = "regular", country: str = "DE", month: date = NOVEMBER,
    subtype: str = "", line: str = "l",
) -> CountedPrice:  # fmt: skip
    return CountedPrice("t", line, month, country, category, kind, subtype, total)


def cost(one: CountedPrice, currency: str = "EUR") -> Decimal | None:
    valid = [card for card in read(CARD.encode()) if card.currency == currency and card.valid_from <= one.month]
    return costs.charge(one, max(valid, key=lambda card: card.valid_from, default=None)).cost


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (counted(10), "0.50"),
        (counted(10, month=OCTOBER), "0.50"),
        (counted(10, month=JANUARY), "0.60"),
        (counted(10, month=date(2028, 5, 1)), "0.60"),
        (counted(10, country="CH"), "0.40"),
        (counted(10, country="BR"), "0.20"),
        (counted(10, country=""), "0.20"),
        (counted(7, "service"), "0.07"),
        (counted(10, "service", "free_customer_service"), "0"),
        (counted(10, "service", "free_entry_point"), "0"),
        (counted(10, subtype="paid_exempt"), "0"),
    ],
)
def test_what_messages_cost_by_the_card_of_their_month(one: CountedPrice, expected: str) -> None:
    assert cost(one) == Decimal(expected)


@pytest.mark.parametrize(
    "one",
    [
        counted(10, month=date(2026, 9, 1)),  # before the first card
        counted(10, "marketing"),
        counted(10, "service", country="BR"),
        counted(10, kind="half_price"),
        counted(10, kind=""),
    ],
)
def test_what_the_card_does_not_say_has_no_cost_instead_of_none(one: CountedPrice) -> None:
    assert cost(one) is None


def test_what_is_free_is_free_without_a_card() -> None:
    assert costs.charge(counted(9, kind="free_entry_point"), None).cost == 0


def test_currencies_stand_side_by_side() -> None:
    assert cost(counted(100), "USD") == Decimal("5.5")
    assert cost(counted(100, country="AT"), "USD") is None
    assert cost(counted(100), "GBP") is None


def test_a_rate_of_nothing_is_a_rate() -> None:
    [card] = read(f"{HEAD}2026-10-01,EUR,,DE,service,0\n2026-10-01,EUR,,*,service,1\n".encode())
    assert card.rate("DE", "service") == 0
    assert card.rate("FR", "service") == 1


def test_hyphens_and_underscores_are_the_same_category() -> None:
    [card] = read(f"{HEAD}2026-10-01,EUR,,DE,authentication-international,0.1\n".encode())
    for written in ("authentication-international", "authentication_international"):
        assert costs.charge(counted(10, written), card).cost == 1


@pytest.mark.parametrize(
    "data",
    [
        CARD.replace(",", ";").encode(),
        CARD.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + CARD.encode(),
        f"\n{CARD}".replace("\n2026", "\n\n2026").lstrip("\n").encode(),
        CARD.replace("utility", "Utility ").encode(),
        CARD.replace("market,", "").replace("Germany,", "").replace("Alps,", "").replace("Other,", "").encode(),
    ],
)
def test_a_card_is_read_as_spreadsheets_write_it(data: bytes) -> None:
    assert [(one.currency, one.valid_from, len(one.rates)) for one in read(data)] == [
        ("EUR", OCTOBER, 5),
        ("EUR", JANUARY, 1),
        ("USD", OCTOBER, 1),
    ]


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("2026-13-01,EUR,,DE,utility,0.05", "valid_from", "“2026-13-01” is no date; write it as 2026-10-01"),
        ("1.10.2026,EUR,,DE,utility,0.05", "valid_from", "“1.10.2026” is no date"),
        (",EUR,,DE,utility,0.05", "valid_from", "an empty cell is no date"),
        ("2026-10-15,EUR,,DE,utility,0.05", "valid_from", "not the first of a month"),
        ("2026-10-01,€,,DE,utility,0.05", "currency", "“€” is no currency"),
        ("2026-10-01,EUR,,UK,utility,0.05", "countries", "the United Kingdom is GB"),
        ("2026-10-01,EUR,,Germany,utility,0.05", "countries", "“Germany” is no country"),
        ("2026-10-01,EUR,,,utility,0.05", "countries", "no country is named"),
        ("2026-10-01,EUR,,DE,,0.05", "category", "an empty cell is no category"),
        ("2026-10-01,EUR,,DE,utility,", "rate", "an empty cell is no rate"),
        ('2026-10-01,EUR,,DE,utility,"0,05"', "rate", "“0,05” is no rate; write what one message costs with a point"),
        ("2026-10-01,EUR,,DE,utility,-1", "rate", "“-1” is no rate"),
        ("2026-10-01,EUR,,DE,utility,1e3", "rate", "“1e3” is no rate"),
        ("2026-10-01,EUR,,DE,utility", "rate", "an empty cell is no rate"),
    ],
)
def test_what_is_wrong_names_line_and_column_and_how_it_is_right(row: str, column: str, said: str) -> None:
    with pytest.raises(CardRefused) as refused:
        read(f"{HEAD}2026-10-01,EUR,,FR,utility,0.05\n{row}\n".encode())
    [error] = refused.value.errors
    assert (error.line, error.column) == (3, column)
    assert said in str(error)
    assert str(error).startswith(f"Line 3, column {column}: ")


def test_two_rates_of_the_same_name_both_lines() -> None:
    with pytest.raises(CardRefused, match="Line 3, column countries: line 2 has a rate of utility for AT already"):
        read(f"{HEAD}2026-10-01,EUR,,DE AT,utility,1\n2026-10-01,EUR,,AT,utility,2\n".encode())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "Line 1, column valid_from: the column is missing"),
        (b"valid_from,currency,countries,category\n", "Line 1, column rate: the column is missing"),
        (HEAD.encode(), "there is no rate in the file"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (HEAD.encode() + b"x" * BYTES, "larger than"),
        (HEAD.encode() + b'2026-10-01,EUR,,DE,utility,"1', "no CSV"),
        (HEAD.encode() + b"2026-10-01,EUR,,DE,utility," + b"1" * 150_000, "Line 2"),
    ],
)
def test_what_is_no_card_is_told_so(data: bytes, said: str) -> None:
    with pytest.raises(CardRefused) as refused:
        read(data)
    assert said in str(refused.value)


def test_no_more_errors_are_told_than_anybody_reads() -> None:
    with pytest.raises(CardRefused) as refused:
        read((HEAD + "x,x,x,x,,x\n" * 1000).encode())
    assert len(refused.value.errors) <= ERRORS


def test_the_free_tier_is_what_was_free_because_some_was_left() -> None:
    used = costs.free_tier_used(
        [
            counted(600, "service", "free_customer_service"),
            counted(40, "service", "free_group_customer_service"),
            counted(5, "service", "free_entry_point"),
            counted(5, "service", "free_customer_service", subtype="paid_exempt"),
            counted(5, "service"),
            counted(1, "service", "free_customer_service", line="other"),
        ]
    )
    assert used == {"l": 640, "other": 1}


def test_both_counts_side_by_side_whoever_knows_of_a_kind() -> None:
    found = costs.compared(
        [counted(5), counted(2, country="AT"), counted(3, "telepathy")],
        [ToldCharge("UTILITY", "REGULAR", "DE", 8, Decimal("0.4")), ToldCharge("SERVICE", "REGULAR", "DE", 1)],
    )
    assert [(one.category, one.type, one.counted, one.told, one.difference, one.told_cost) for one in found] == [
        ("service", "regular", 0, 1, 1, None),
        ("telepathy", "regular", 3, 0, -3, None),
        ("utility", "regular", 7, 8, 1, Decimal("0.4")),
    ]
