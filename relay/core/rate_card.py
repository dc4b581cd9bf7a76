"""A rate card: what a message costs from a date on, by country and category, read from the CSV that an operator has.

One file may hold several dates and currencies. Its columns are named in its first line, in any order:
valid_from, currency, market (a name, optional), countries (codes of ISO 3166 with spaces between, or * for all that
have no rate of their own), category, rate (for one message).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import phonenumbers

COLUMNS = ("valid_from", "currency", "countries", "category", "rate")
BYTES = 200_000
LINES = 5_000
ERRORS = 20
"""So many are told; whoever mends them uploads again."""
LONGEST = 100
ELSEWHERE = "*"
CATEGORIES = (
    "service", "utility", "marketing", "marketing_lite", "authentication", "authentication_international",
    "referral_conversion", "group_service", "group_utility", "group_marketing",
)  # fmt: skip
"""Meta's, as of November 2026."""
_RATE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,8})?")
_CATEGORY = re.compile(r"[a-z0-9_]{1,64}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class CardError:
    """What is wrong in the file, and how it is right. `line` counts from 1, the names of the columns being line 1."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        where = f"Line {self.line}, column {self.column}" if self.column else f"Line {self.line}"
        return f"{where}: {self.text}"


class CardRefused(Exception):
    """The file cannot be taken. Nothing of it was."""

    def __init__(self, errors: Sequence[CardError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class CardRate:
    """What one message costs. `market` is the card's own name of where."""

    amount: Decimal
    market: str = ""


@dataclass(frozen=True, slots=True)
class RateCard:
    """From `valid_from` on, the first of a month (UTC), until the next one of its currency.

    Its rates by country, or ELSEWHERE, and category.
    """

    currency: str
    valid_from: date
    rates: Mapping[tuple[str, str], CardRate]

    def rate(self, country: str, category: str) -> Decimal | None:
        """Of one message; None where the card does not say."""
        found = self.rates.get((country, category)) or self.rates.get((ELSEWHERE, category))
        return None if found is None else found.amount


@dataclass(slots=True)
class _CardReading:
    errors: list[CardError] = field(default_factory=list)
    cards: dict[tuple[str, date], dict[tuple[str, str], CardRate]] = field(default_factory=dict)
    lines: dict[tuple[str, date, str, str], int] = field(default_factory=dict)

    def wrong(self, line: int, column: str, text: str) -> None:
        self.errors.append(CardError(line, column, text))


def category_key(category: str) -> str:
    """Meta writes some with hyphens and with underscores."""
    return category.strip().lower().replace("-", "_")


def read(data: bytes) -> list[RateCard]:
    """The cards in a file, by currency and date. Raises CardRefused."""
    if len(data) > BYTES:
        raise CardRefused([CardError(1, "", f"the file is larger than {BYTES:,} bytes; upload one date at a time")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CardRefused([CardError(line, "", "the file is not UTF-8; save it as CSV UTF-8")]) from None
    reading = _CardReading()
    for number, row in _rows(text, reading):
        if len(reading.errors) >= ERRORS:
            break
        _read_row(number, row, reading)
    if not reading.errors and not reading.cards:
        reading.wrong(2, "", "there is no rate in the file")
    if reading.errors:
        raise CardRefused(reading.errors[:ERRORS])
    return [RateCard(*key, reading.cards[key]) for key in sorted(reading.cards)]


def _rows(text: str, reading: _CardReading) -> Iterator[tuple[int, dict[str, str]]]:
    """Each with its line. A file with semicolons is what spreadsheets of many countries write."""
    first = text.partition("\n")[0]
    rows = csv.reader(text.splitlines(), delimiter=";" if ";" in first and "," not in first else ",", strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        for name in COLUMNS:
            if names.count(name) != 1:
                problem = "is missing" if name not in names else "is there twice"
                reading.wrong(1, name, f"the column {problem}; the first line names {', '.join(COLUMNS)}, market")
        if reading.errors:
            return
        for row in rows:
            if rows.line_num > LINES:
                reading.wrong(rows.line_num, "", f"the file has more than {LINES:,} lines; upload one date at a time")
                return
            if any(cell.strip() for cell in row):
                yield rows.line_num, dict(zip(names, (cell.strip() for cell in row), strict=False))
    except csv.Error as error:
        reading.wrong(rows.line_num, "", f"this is no CSV: {error}")


def _read_row(number: int, row: dict[str, str], reading: _CardReading) -> None:
    before = len(reading.errors)
    begins, currency = _begins(number, row, reading), row.get("currency", "")
    if not _CURRENCY.fullmatch(currency):
        reading.wrong(number, "currency", f"{_shown(currency)} is no currency; write three capitals, such as EUR")
    category = category_key(row.get("category", ""))
    if not _CATEGORY.fullmatch(category):
        reading.wrong(
            number, "category", f"{_shown(category)} is no category; write one such as {', '.join(CATEGORIES)}"
        )
    amount = row.get("rate", "")
    if not _RATE.fullmatch(amount):
        reading.wrong(
            number, "rate", f"{_shown(amount)} is no rate; write what one message costs with a point, such as 0.0456"
        )
    countries = _countries(number, row, reading)
    if begins is None or len(reading.errors) > before:
        return
    for country in countries:
        known = reading.lines.setdefault((currency, begins, country, category), number)
        if known != number:
            where = "all other countries" if country == ELSEWHERE else country
            reading.wrong(number, "countries", f"line {known} has a rate of {category} for {where} already")
            return
        card = reading.cards.setdefault((currency, begins), {})
        card[country, category] = CardRate(Decimal(amount), row.get("market", "")[:LONGEST])


def _begins(number: int, row: dict[str, str], reading: _CardReading) -> date | None:
    told = row.get("valid_from", "")
    try:
        found = date.fromisoformat(told) if len(told) == len("2026-10-01") else None
    except ValueError:
        found = None
    if found is None or not 2020 <= found.year <= 2100:
        reading.wrong(number, "valid_from", f"{_shown(told)} is no date; write it as 2026-10-01")
        return None
    if found.day != 1:
        reading.wrong(number, "valid_from", f"{told} is not the first of a month; prices change with a month (UTC)")
        return None
    return found


def _countries(number: int, row: dict[str, str], reading: _CardReading) -> list[str]:
    found = row.get("countries", "").split()
    if not found:
        reading.wrong(number, "countries", "no country is named; write codes such as DE AT CH, or * for all others")
    for one in found:
        if one != ELSEWHERE and one not in phonenumbers.SUPPORTED_REGIONS:
            hint = "; the United Kingdom is GB" if one == "UK" else ""
            reading.wrong(
                number, "countries", f"{_shown(one)} is no country; write codes of ISO 3166, such as DE, or *{hint}"
            )
            break
    return list(dict.fromkeys(found))


def _shown(text: str) -> str:
    return f"“{text[:40]}”" if text else "an empty cell"
