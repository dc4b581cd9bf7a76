"""Work that no actor knows of is found, all of it, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from db.mailbox import sweep
from db.mailbox.sweep import UnfinishedMessage
from db.pool import Pool
from relay.actors.sweeping import SweepWalk
from relay.core.messages import Direction
from tests.integration.rows import new_line, new_message
from tests.services.postgres_trouble import administer

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


@contextmanager
def broken_rows(url: str, ids: set[str]) -> Iterator[None]:
    """For connections that are opened meanwhile: the table is a view, which fails where it comes to these rows."""
    database = url.rpartition("/")[2].partition("?")[0]
    administer(
        url,
        "CREATE SCHEMA broken",
        f"""CREATE FUNCTION broken.sound(id uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
              IF id::text IN ({", ".join(f"'{one}'" for one in ids)}) THEN
                RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'XX001';
              END IF; RETURN true; END $$""",
        "CREATE VIEW broken.message_tracking AS SELECT * FROM public.message_tracking WHERE broken.sound(id)",
        f'ALTER DATABASE "{database}" SET search_path = broken, public',
    )
    try:
        yield
    finally:
        administer(url, f'ALTER DATABASE "{database}" RESET search_path', "DROP SCHEMA broken CASCADE")


def test_rows_that_postgresql_cannot_read_hide_no_others(
    pool: Pool, postgres: str, line_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "PAGE", 5)
    rows = sorted((new_message(pool, line_id) for _ in range(9)), key=lambda row: row.conversation_id)
    broken, shards = {rows[0].id, rows[4].id, rows[5].id}, sorted({row.shard for row in rows})
    found = set[str]()
    with broken_rows(postgres, broken), Pool(postgres) as troubled:
        walk = SweepWalk(troubled)
        for _ in range(3 * len(rows)):
            found |= {one.message_id for one in walk.step(shards)}
    assert found >= {row.id for row in rows} - broken
    assert not found & broken
