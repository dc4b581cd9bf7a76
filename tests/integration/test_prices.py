"""What messages cost: counted once for each copy that went out, whatever order its statuses come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import permutations
from uuid import uuid4

import pytest

from db.mailbox import prices, receipts
from db.mailbox.receipts import LineReceipt
from db.pool import Pool
from db.views import history
from relay.core.messages import Receipt, ReceiptStatus
from relay.core.prices import Price
from tests.integration.rows import new_line, new_message, sent_message

SERVICE = Price("service", "free_customer_service", country="DE")
UTILITY = Price("utility", "regular", country="DE")
NOW = datetime.now().timestamp()


@pytest.fixture
def line_id(pool: Pool) -> str:
    return new_line(pool)


def tell(pool: Pool, line_id: str, *told: Receipt) -> None:
    with pool.transaction() as cursor:
        receipts.record(cursor, [LineReceipt(line_id, one) for one in told])


def said(wamid: str, status: ReceiptStatus, price: Price | None = None, at: float = NOW) -> Receipt:
    return Receipt(wamid, status, at, price=price)


def counted(pool: Pool, line_id: str) -> dict[tuple[str, str, str], int]:
    """By category, type and country, once nothing is left to be added."""
    while prices.add(pool):
        pass
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT category, type, country, sum(total)::int FROM message_prices WHERE line_id = %s GROUP BY 1, 2, 3",
            (line_id,),
        )
        return {tuple(row[:3]): row[3] for row in cursor.fetchall()}


@pytest.mark.parametrize("order", list(permutations(("sent", "delivered", "read"))))
@pytest.mark.parametrize("bearer", ["delivered", "read"])
def test_it_is_counted_once_in_whatever_order(
    pool: Pool, line_id: str, order: Sequence[ReceiptStatus], bearer: str
) -> None:
    """Meta names the price in one of delivered and read."""
    wamid = uuid4().hex
    sent_message(pool, line_id, provider_id=wamid)
    for status in (*order, *order):
        tell(pool, line_id, said(wamid, status, UTILITY if status == bearer else None))
    assert counted(pool, line_id) == {("utility", "regular", "DE"): 1}


def test_delivered_and_read_of_the_same_copy_are_one_price(pool: Pool, line_id: str) -> None:
    one, other = uuid4().hex, uuid4().hex
    for wamid in (one, other):
        sent_message(pool, line_id, provider_id=wamid)
    tell(pool, line_id, said(one, "read", UTILITY), said(one, "delivered", UTILITY), said(other, "read", SERVICE))
    tell(pool, line_id, said(other, "delivered", SERVICE))
    assert counted(pool, line_id) == {
        ("utility", "regular", "DE"): 1,
        ("service", "free_customer_service", "DE"): 1,
    }


def test_a_message_that_went_out_twice_is_charged_twice(pool: Pool, line_id: str) -> None:
    """A call that ended without word was made again, and both reached the phone."""
    row = sent_message(pool, line_id, provider_id=uuid4().hex)
    for wamid in (f"{row.id}-1", f"{row.id}-2", f"{row.id}-1"):
        tell(pool, line_id, Receipt(wamid, "delivered", NOW, row.id, price=SERVICE))
    assert counted(pool, line_id) == {("service", "free_customer_service", "DE"): 2}


def test_a_price_that_comes_before_its_message_is_known_waits_with_its_status(pool: Pool, line_id: str) -> None:
    wamid = uuid4().hex
    tell(pool, line_id, said(wamid, "delivered", UTILITY))
    assert counted(pool, line_id) == {}
    sent_message(pool, line_id, provider_id=wamid)
    for _ in range(2):
        with pool.transaction() as cursor:
            receipts.unpark(cursor, [(line_id, wamid)])
    assert counted(pool, line_id) == {("utility", "regular", "DE"): 1}


def test_what_meta_has_not_described_yet_is_counted_by_its_own_name(pool: Pool, line_id: str) -> None:
    wamid = uuid4().hex
    sent_message(pool, line_id, provider_id=wamid)
    tell(pool, line_id, said(wamid, "delivered", Price("telepathy", "half_price", "moonlit")))
    assert counted(pool, line_id) == {("telepathy", "half_price", ""): 1}


def test_a_status_without_a_price_and_a_customers_message_count_nothing(pool: Pool, line_id: str) -> None:
    wamid = uuid4().hex
    sent_message(pool, line_id, provider_id=wamid)
    inbound = new_message(pool, line_id, "inbound")
    tell(pool, line_id, said(wamid, "delivered"), Receipt("x", "delivered", NOW, inbound.id, price=SERVICE))
    assert counted(pool, line_id) == {}


def test_a_message_keeps_its_price(pool: Pool, line_id: str) -> None:
    wamid = uuid4().hex
    row = sent_message(pool, line_id, provider_id=wamid)
    tell(pool, line_id, said(wamid, "delivered", UTILITY))
    with pool.autocommit() as cursor:
        cursor.execute("SELECT prices FROM message_tracking WHERE id = %s", (row.id,))
        told = cursor.fetchone()[0][wamid]
    assert (told["category"], told["type"], told["subtype"], told["country"]) == ("utility", "regular", "", "DE")
    found = history.get(pool, None, row.id)
    assert found is not None
    assert [(one.provider_id, one.price) for one in found.prices] == [(wamid, UTILITY)]


def test_nobody_fills_a_row_with_prices_of_ids_that_they_make_up(pool: Pool, line_id: str) -> None:
    row = sent_message(pool, line_id)
    for _ in range(40):
        wamids = [uuid4().hex * 4 for _ in range(10)]
        tell(pool, line_id, *(Receipt(one, "delivered", NOW, row.id, price=SERVICE) for one in wamids))
    with pool.autocommit() as cursor:
        cursor.execute("SELECT pg_column_size(prices) FROM message_tracking WHERE id = %s", (row.id,))
        assert cursor.fetchone()[0] < 8192


@pytest.mark.parametrize("at", [0.0, -1.0, NOW + 10**9, NOW - 400 * 86_400.0])
def test_a_time_that_makes_no_sense_counts_in_this_month(pool: Pool, line_id: str, at: float) -> None:
    wamid = uuid4().hex
    sent_message(pool, line_id, provider_id=wamid)
    tell(pool, line_id, said(wamid, "delivered", UTILITY, at))
    counted(pool, line_id)
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT month = date_trunc('month', now() AT TIME ZONE 'UTC')::date FROM message_prices
               WHERE line_id = %s""",
            (line_id,),
        )
        assert cursor.fetchall() == [(True,)]


def test_counts_of_more_than_two_years_ago_go(pool: Pool, line_id: str) -> None:
    today = date.today()
    for month in (today.replace(day=1), date(today.year - 2, today.month, 1), date(today.year - 3, today.month, 1)):
        with pool.transaction() as cursor:
            cursor.execute(
                """INSERT INTO message_prices SELECT id, tenant_id, %s, '', 'service', 'regular', '', 1
                   FROM lines WHERE id = %s""",
                (month, line_id),
            )
    with pool.transaction() as cursor:
        assert prices.expire(cursor) == 1
        cursor.execute("SELECT count(*) FROM message_prices WHERE line_id = %s", (line_id,))
        assert cursor.fetchone()[0] == 2


def test_two_that_add_at_once_count_nothing_twice(pool: Pool, line_id: str) -> None:
    for _ in range(3):
        wamid = uuid4().hex
        sent_message(pool, line_id, provider_id=wamid)
        tell(pool, line_id, said(wamid, "delivered", UTILITY))
    with pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM message_prices_new FOR UPDATE")
        assert prices.add(pool) == 0, "somebody else has them"
    assert counted(pool, line_id) == {("utility", "regular", "DE"): 3}
