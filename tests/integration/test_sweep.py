"""Work that no actor knows of is found, all of it, a page at a time."""

from __future__ import annotations

import pytest

from db.mailbox import sweep
from db.mailbox.sweep import UnfinishedMessage
from db.pool import Pool
from relay.core.messages import Direction
from tests.integration.rows import new_line, new_message

DIRECTIONS: tuple[Direction, ...] = ("inbound", "outbound")


@pytest.fixture
def line_id(pool: Pool) -> str:
    return new_line(pool)


def test_a_walk_finds_everything_once_wherever_it_pauses(pool: Pool, line_id: str) -> None:
    rows = [new_message(pool, line_id, direction) for direction in DIRECTIONS for _ in range(7)]
    shards = sorted({row.shard for row in rows})
    with pool.transaction() as cursor:
        whole = sweep.page(cursor, shards)
        assert {one.message_id for one in whole} >= {row.id for row in rows}
        walked: list[UnfinishedMessage] = []
        while found := sweep.page(cursor, shards, walked[-1].bookmark if walked else sweep.START)[:5]:
            walked += found
    assert walked == whole


def test_what_is_finished_and_told_is_no_work(pool: Pool, line_id: str) -> None:
    row = new_message(pool, line_id)
    changes = {
        "state = 'sent'": None, "state = 'delivered', report = 'delivered'": "report", "reported = 'delivered'": None,
        "state = 'unknown'": "outbound",
    }  # fmt: skip
    with pool.transaction() as cursor:
        for change, lane in changes.items():
            cursor.execute(f"UPDATE message_tracking SET {change} WHERE id = %s::uuid", (row.id,))
            found = [one.lane for one in sweep.page(cursor, [row.shard]) if one.message_id == row.id]
            assert found == ([lane] if lane else [])
