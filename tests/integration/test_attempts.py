"""Calls to providers in the history: each has its row when it is over, whoever wrote down how it ended."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from db.daemons import shards
from db.mailbox import claims, receipts, sweep
from db.mailbox.receipts import LineReceipt
from db.pool import Pool
from db.views import history
from relay.core.mailbox import Attempt, Claim, Row
from relay.core.messages import Direction, Receipt
from tests.integration.rows import NOW, new_line, new_message, updates


@pytest.fixture
def line_id(pool: Pool) -> str:
    return new_line(pool)


def claimed(pool: Pool, line_id: str, direction: Direction = "outbound") -> Row:
    """A message that a daemon, which holds all shards, has claimed."""
    row, daemon_id = new_message(pool, line_id, direction), str(uuid4())
    with pool.transaction() as cursor:
        cursor.execute("UPDATE shards SET owner = %s::uuid, epoch = 5", (daemon_id,))
    with pool.autocommit() as cursor:
        assert claims.claim(cursor, daemon_id, [Claim(row.id, row.shard, 5, 1)], 10.0) == {row.id}
    return row


def attempts(pool: Pool, row: Row) -> list[dict[str, Any]]:
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT a.n, a.outcome, a.provider_id, a.epoch, a.started_at = m.claimed_at,
                      a.deadline_at = m.deadline_at, a.finished_at IS NOT NULL
               FROM message_attempts a JOIN message_tracking m ON m.id = a.message_id WHERE m.id = %s ORDER BY n""",
            (row.id,),
        )
        names = ("n", "outcome", "provider_id", "epoch", "started", "deadline", "finished")
        return [dict(zip(names, one, strict=True)) for one in cursor.fetchall()]


def begun(outcome: str | None = None, provider_id: str | None = None, *, finished: bool = False) -> dict[str, Any]:
    return {
        "n": 1, "outcome": outcome, "provider_id": provider_id, "epoch": 5, "started": True, "deadline": True,
        "finished": finished,
    }  # fmt: skip


def answer(pool: Pool, row: Row, provider_id: str) -> None:
    sent = [Attempt(row.id, row.line_id, 1, "sent", NOW, provider_id, 200)]
    with pool.transaction() as cursor:
        claims.lock(cursor, [row.id])
        claims.record_attempts(cursor, sent)
        claims.record_sent(cursor, sent)


def test_a_claim_changes_no_index(pool: Pool, line_id: str) -> None:
    row, daemon_id = new_message(pool, line_id), str(uuid4())
    with pool.transaction() as cursor:
        cursor.execute("UPDATE shards SET owner = %s::uuid, epoch = 5", (daemon_id,))
        before = updates(cursor, "message_tracking")
        assert claims.claim(cursor, daemon_id, [Claim(row.id, row.shard, 5, 1)], 10.0) == {row.id}
        assert updates(cursor, "message_tracking") == (before[0] + 1, before[1] + 1)


def test_the_row_is_made_when_the_call_has_ended(pool: Pool, line_id: str) -> None:
    row, provider_id = claimed(pool, line_id), uuid4().hex
    assert attempts(pool, row) == []
    shown = history.get(pool, None, row.id)
    assert shown and [(one.n, one.outcome) for one in shown.attempts] == [(1, None)], "though it is shown meanwhile"
    assert "claimed" in [step.name for step in shown.steps]
    answer(pool, row, provider_id)
    assert attempts(pool, row) == [begun("sent", provider_id, finished=True)]
    answer(pool, row, provider_id)
    assert attempts(pool, row) == [begun("sent", provider_id, finished=True)], "written again after a lost answer"


def test_a_take_over_makes_the_row_of_a_call_whose_end_nobody_told(pool: Pool, line_id: str) -> None:
    row = claimed(pool, line_id)
    with pool.transaction() as cursor:
        assert shards.adopt_claims(cursor, row.shard, 6) >= 1
    assert attempts(pool, row) == [begun()]
    with pool.transaction() as cursor:
        assert row.conversation_id in shards.date_unknowns(cursor, row.shard, 30.0)
        cursor.execute(
            "SELECT unknown_until = deadline_at + interval '30 s' FROM message_tracking WHERE id = %s", (row.id,)
        )
        assert cursor.fetchone() == (True,)
    late = uuid4().hex
    answer(pool, row, late)
    assert attempts(pool, row) == [begun("sent", late, finished=True)], "and its end is written there when it is told"


def test_what_a_dead_daemon_had_under_way_is_not_waited_for(pool: Pool, line_id: str) -> None:
    """Its calls cannot begin any more: Genesys is asked once it can show them, and Meta's word awaited from now on."""
    rows = [claimed(pool, line_id, "inbound"), claimed(pool, line_id, "outbound")]
    with pool.transaction() as cursor:
        for row in rows:
            shards.adopt_claims(cursor, row.shard, 6, from_dead=True)
            shards.date_unknowns(cursor, row.shard, 30.0)
        sql = "SELECT direction, unknown_until - now() FROM message_tracking WHERE id = ANY(%s::uuid[])"
        cursor.execute(sql, ([row.id for row in rows],))
        assert {one: wait.total_seconds() for one, wait in cursor.fetchall()} == {"inbound": 2, "outbound": 30}


def test_so_does_the_sweep(pool: Pool, line_id: str) -> None:
    row = claimed(pool, line_id)
    with pool.transaction() as cursor:
        cursor.execute(
            "UPDATE message_tracking SET claimed_at = claimed_at - interval '2 minutes' WHERE id = %s", (row.id,)
        )
        found = [one for one in sweep.page(cursor, range(16)) if one.message_id == row.id]
        sweep.expire(cursor, found, 30.0)
    assert attempts(pool, row) == [begun()]


@pytest.mark.parametrize("status", ["sent", "delivered", "failed"])
def test_so_does_a_status_that_comes_before_the_answer(pool: Pool, line_id: str, status: Any) -> None:
    row, provider_id = claimed(pool, line_id), uuid4().hex
    receipt = Receipt(provider_id, status, NOW, row.id, "131000" if status == "failed" else None)
    with pool.transaction() as cursor:
        receipts.record(cursor, [LineReceipt(line_id, receipt)])
    [made] = attempts(pool, row)
    assert (made["n"], made["epoch"], made["started"]) == (1, 5, True)
    answer(pool, row, provider_id)
    assert [(one["n"], one["provider_id"]) for one in attempts(pool, row)] == [(1, provider_id)]
