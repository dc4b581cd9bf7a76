"""rate_cards and rates: what messages cost, as the operator has uploaded it. The same for all tenants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg2.extras import execute_values

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.mailbox.prices import KEPT_MONTHS
from db.pool import Pool
from relay.core.rate_card import CardRate, RateCard

MOST = 400
"""Cards of all dates and currencies: two years of quarterly ones in 16 currencies are 128."""


class TooManyCardsError(ValueError):
    """There are as many as are kept. The text is for people."""


@dataclass(frozen=True, slots=True)
class ListedCard:
    currency: str
    valid_from: date
    uploaded_at: datetime
    uploaded_by: str
    rates: int


def put(pool: Pool, by: Author, cards: Sequence[RateCard]) -> None:
    """Each takes the place of the one with its currency and date; the others stay. Raises TooManyCardsError."""
    with pool.transaction() as cursor:
        # Uploads wait for each other: what is counted below has to hold.
        cursor.execute("LOCK TABLE rate_cards IN SHARE ROW EXCLUSIVE MODE")
        for card in cards:
            _put(cursor, by, card)
        cursor.execute("SELECT count(*) FROM rate_cards")
        if cursor.fetchone()[0] > MOST:
            raise TooManyCardsError(f"No more than {MOST} rate cards are kept. Delete old ones first.")
        detail = {"cards": [f"{one.currency} {one.valid_from}" for one in cards][:20]}
        audit.record(cursor, by, "rate_card.uploaded", detail=detail)


def _put(cursor: Cursor, by: Author, card: RateCard) -> None:
    key = card.currency, card.valid_from
    cursor.execute("DELETE FROM rate_cards WHERE currency = %s AND valid_from = %s", key)
    cursor.execute("INSERT INTO rate_cards (currency, valid_from, uploaded_by) VALUES (%s, %s, %s)", (*key, by.actor))
    execute_values(
        cursor,
        "INSERT INTO rates (currency, valid_from, country, category, market, amount) VALUES %s",
        [(*key, *names, one.market, one.amount) for names, one in sorted(card.rates.items())],
        page_size=1000,
    )


def delete(pool: Pool, by: Author, currency: str, valid_from: date) -> bool:
    """False: there is none."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM rate_cards WHERE currency = %s AND valid_from = %s", (currency, valid_from))
        if not cursor.rowcount:
            return False
        audit.record(cursor, by, "rate_card.deleted", subject=f"{currency} {valid_from}")
    return True


def listed(pool: Pool) -> list[ListedCard]:
    """By currency, the newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT c.currency, c.valid_from, c.uploaded_at, c.uploaded_by,
                      (SELECT count(*) FROM rates r WHERE r.currency = c.currency AND r.valid_from = c.valid_from)
               FROM rate_cards c ORDER BY c.currency, c.valid_from DESC"""
        )
        return [ListedCard(*row) for row in cursor.fetchall()]


def currencies(pool: Pool) -> list[str]:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT DISTINCT currency FROM rate_cards ORDER BY currency")
        return [row[0] for row in cursor.fetchall()]


def valid(pool: Pool, currency: str, month: date) -> RateCard | None:
    """The card of this currency that holds in a month."""
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT valid_from FROM rate_cards WHERE currency = %s AND valid_from <= %s
               ORDER BY valid_from DESC LIMIT 1""",
            (currency, month),
        )
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(
            "SELECT country, category, amount, market FROM rates WHERE currency = %s AND valid_from = %s",
            (currency, row[0]),
        )
        rates = {
            (country, category): CardRate(amount, market) for country, category, amount, market in cursor.fetchall()
        }
    return RateCard(currency, row[0], rates)


def expire(cursor: Cursor) -> int:
    """Forget cards by which nothing is reckoned any more: another one followed before the oldest count. How many."""
    cursor.execute(
        """DELETE FROM rate_cards c WHERE EXISTS (
             SELECT 1 FROM rate_cards n WHERE n.currency = c.currency AND n.valid_from > c.valid_from
               AND n.valid_from <= date_trunc('month', now() AT TIME ZONE 'UTC') - %s * interval '1 month')""",
        (KEPT_MONTHS,),
    )
    return int(cursor.rowcount)
