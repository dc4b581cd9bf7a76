"""The ladder of a message's states in PostgreSQL: facts never go back, whatever the order they come in."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from db.mailbox import claims, part_reports, receipts
from db.mailbox.receipts import LineReceipt
from db.pool import Pool
from relay.core.mailbox import Attempt, Row
from relay.core.messages import Receipt, Report
from tests.integration.rows import NOW, sent_message

ORDERS = list(permutations(["sent", "delivered", "read", "failed"]))


def tell(pool: Pool, line_id: str, provider_id: str, *statuses: str, message_id: str | None = None) -> None:
    with pool.transaction() as cursor:
        told = [Receipt(provider_id, one, NOW, message_id, "131026") for one in statuses]  # type: ignore[arg-type]
        receipts.record(cursor, [LineReceipt(line_id, one) for one in told])


def stands(pool: Pool, row: Row) -> tuple[str, str | None]:
    with pool.transaction() as cursor:
        [row_status] = claims.row_statuses(cursor, [row.id])
    return row_status.state, row_status.report


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_it_ends_at_read_in_every_order_and_never_steps_down(pool: Pool, line_id: str, order: tuple[str, ...]) -> None:
    provider_id = uuid4().hex
    row = sent_message(pool, line_id, provider_id=provider_id)
    rank = ["received", "sent", "failed", "delivered", "read"]
    before = 0
    for status in order:
        tell(pool, line_id, provider_id, status)
        after = rank.index(stands(pool, row)[0])
        assert after >= before
        before = after
    assert stands(pool, row) == ("read", "delivered")


def test_all_at_once_is_the_same_as_one_by_one(pool: Pool, line_id: str) -> None:
    provider_id = uuid4().hex
    row = sent_message(pool, line_id, provider_id=provider_id)
    tell(pool, line_id, provider_id, "failed", "delivered", "sent", "delivered")
    assert stands(pool, row) == ("delivered", "delivered")


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "failed"])
def test_what_is_known_is_not_written_again(pool: Pool, line_id: str, status: str) -> None:
    """Each status of WhatsApp comes several times, and its `sent` after our own word."""
    provider_id = uuid4().hex
    row = sent_message(pool, line_id, provider_id=provider_id)
    versions = []
    for _ in range(2):
        tell(pool, line_id, provider_id, status)
        with pool.transaction() as cursor:
            cursor.execute("SELECT ctid, state FROM message_tracking WHERE id = %s", (row.id,))
            versions.append(cursor.fetchone())
    assert versions[0] == versions[1]
    assert versions[0][1] == status


def in_two_parts(pool: Pool, line_id: str) -> list[tuple[Row, str]]:
    """A message that became two, both sent: rows and provider ids."""
    first, second = (sent_message(pool, line_id, provider_id=name) for name in (uuid4().hex, uuid4().hex))
    with pool.transaction() as cursor:
        for part, row in enumerate((first, second), 1):
            cursor.execute(
                """UPDATE message_tracking SET conversation_id = %s, source_id = %s,
                          content = content || jsonb_build_object('part', %s, 'parts', 2) WHERE id = %s""",
                (first.conversation_id, f"{first.message.source_id}{'#2' if part == 2 else ''}", part, row.id),
            )
        cursor.execute("SELECT provider_id FROM message_attempts WHERE message_id = %s", (first.id,))
        ids = [str(cursor.fetchone()[0])]
        cursor.execute("SELECT provider_id FROM message_attempts WHERE message_id = %s", (second.id,))
        ids.append(str(cursor.fetchone()[0]))
    return [(first, ids[0]), (second, ids[1])]


def word(pool: Pool, row: Row) -> str | None:
    """What the agents' side is told of this part, by a conversation that looks after the change."""
    with pool.transaction() as cursor:
        [row_status] = claims.row_statuses(cursor, [row.id])
    if row_status.report is None:
        return None
    status: Any = row_status.report
    report = Report(row.id, row_status.source_id, status, NOW, part=row_status.part, parts=row_status.parts)
    if not part_reports.may_tell(pool, report):
        return None
    with pool.transaction() as cursor:
        claims.record_reports(cursor, [(row.id, status, None)])
    return str(status)


def test_of_two_parts_the_last_one_to_arrive_is_told(pool: Pool, line_id: str) -> None:
    (first, one), (second, two) = in_two_parts(pool, line_id)
    tell(pool, line_id, two, "delivered")
    assert word(pool, second) is None
    tell(pool, line_id, one, "delivered")
    tell(pool, line_id, two, "read")
    assert [word(pool, row) for row in (second, first)] == ["delivered", None]


def test_a_word_that_the_row_no_longer_asks_for_is_old_news(pool: Pool, line_id: str) -> None:
    """What a row said before the word was withheld comes late, when all has arrived."""
    (first, one), (second, two) = in_two_parts(pool, line_id)
    tell(pool, line_id, one, "delivered")
    with pool.transaction() as cursor:
        [late] = claims.row_statuses(cursor, [first.id])
    assert word(pool, first) is None
    tell(pool, line_id, two, "delivered")
    report = Report(first.id, late.source_id, "delivered", NOW, part=late.part, parts=late.parts)
    assert not part_reports.may_tell(pool, report)
    assert word(pool, second) == "delivered"


def test_the_first_that_failed_is_told_and_no_other(pool: Pool, line_id: str) -> None:
    (first, one), (second, two) = in_two_parts(pool, line_id)
    tell(pool, line_id, one, "failed")
    tell(pool, line_id, two, "failed")
    assert [word(pool, row) for row in (first, second)] == ["failed", None]
    tell(pool, line_id, two, "delivered")
    assert word(pool, second) is None, "the other has not arrived"
    tell(pool, line_id, one, "delivered")
    assert word(pool, first) == "delivered"


def test_a_receipt_that_comes_before_its_id_is_known_is_parked_and_found(pool: Pool, line_id: str) -> None:
    provider_id = uuid4().hex
    row = sent_message(pool, line_id)
    tell(pool, line_id, provider_id, "delivered")
    assert stands(pool, row) == ("received", None)
    with pool.transaction() as cursor:
        claims.record_attempts(cursor, [Attempt(row.id, line_id, 1, "sent", NOW, provider_id)])
        receipts.unpark(cursor, [(line_id, provider_id)])
    assert stands(pool, row) == ("delivered", "delivered")


def test_our_own_id_settles_a_message_whose_answer_was_lost(pool: Pool, line_id: str) -> None:
    row = sent_message(pool, line_id)
    tell(pool, line_id, uuid4().hex, "sent", message_id=row.id)
    assert stands(pool, row) == ("sent", None)


def test_our_own_id_means_nothing_on_another_line(pool: Pool, line_id: str) -> None:
    row = sent_message(pool, line_id)
    tell(pool, str(uuid4()), uuid4().hex, "failed", message_id=row.id)
    assert stands(pool, row) == ("received", None)


def test_a_late_sent_does_not_undo_a_failure(pool: Pool, line_id: str) -> None:
    provider_id = uuid4().hex
    row = sent_message(pool, line_id, provider_id=provider_id)
    tell(pool, line_id, provider_id, "failed")
    with pool.transaction() as cursor:
        claims.record_sent(cursor, [Attempt(row.id, line_id, 1, "sent", NOW, provider_id)])
    assert stands(pool, row) == ("failed", "failed")


def test_of_a_customers_message_nobody_is_told(pool: Pool, line_id: str) -> None:
    provider_id = uuid4().hex
    row = sent_message(pool, line_id, "inbound", provider_id)
    tell(pool, line_id, provider_id, "failed")
    assert stands(pool, row) == ("failed", None)
