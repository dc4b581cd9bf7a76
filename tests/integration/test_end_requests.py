"""Customers' requests for the end: whose turn it is, and which are over by themselves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from db.mailbox import end_requests, messages
from db.mailbox.end_requests import EndRequest
from db.pool import Pool
from relay.actors.ends import EndsActor
from relay.core.mailbox import NewRow, Row
from relay.core.messages import Message
from relay.core.ordering import SortKey
from tests.integration.rows import NOW, new_line, new_message
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def nobody_elses(pool: Pool) -> None:
    """Every daemon takes whosever are due: those of other tests too."""
    with pool.autocommit() as cursor:
        cursor.execute("DELETE FROM end_requests")


def asking(pool: Pool, line_id: str, state: str = "sent") -> Row:
    """A customer's message that asks for the end, in this state."""
    row = new_message(pool, line_id, "inbound")
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE message_tracking SET state = %s WHERE id = %s", (state, row.id))
    end_requests.ask(pool, row.id)
    return row


def writes_again(pool: Pool, row: Row) -> None:
    """In the same second: WhatsApp's time says no more."""
    message = Message(uuid4().hex, row.message.person, NOW, text="wait")
    new = Row(
        messages.new_id(), row.tenant_id, row.line_id, row.conversation_id, row.shard, "inbound",
        SortKey(NOW, NOW + 0.5, 0), message,
    )  # fmt: skip
    with pool.transaction() as cursor:
        messages.insert(cursor, [NewRow(new, {})])


def due(pool: Pool, *but: str) -> list[EndRequest]:
    return end_requests.take_due(pool, 30.0, 8, 2, but)


def left(pool: Pool) -> dict[str, bool]:
    """By message: whether the request waits for its time."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT message_id::text, due_at > now() FROM end_requests")
        return dict(cursor.fetchall())


def test_no_tenant_takes_the_place_of_others_however_many_lines_it_has(pool: Pool) -> None:
    busy, quiet = [new_line(pool)], new_line(pool)
    owner = asking(pool, busy[0]).tenant_id
    with pool.autocommit() as cursor:
        for _ in range(4):
            busy.append(new_line(pool))
            cursor.execute(
                "UPDATE lines SET tenant_id = %s, phone_number_id = id, integration_id = id WHERE id = %s",
                (owner, busy[-1]),
            )
    for one in busy * 2:
        asking(pool, one)
    asking(pool, quiet)
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE end_requests SET tenant_id = %s WHERE line_id = ANY(%s::uuid[])", (owner, busy))
    first = due(pool)
    assert sorted(one.line_id == quiet for one in first) == [False, False, True]
    assert due(pool, owner) == []
    assert [one.tenant_id for one in due(pool)] == [owner, owner]


def test_who_writes_again_overtakes_the_own_request_and_nobody_elses(pool: Pool) -> None:
    line = new_line(pool)
    first, second = asking(pool, line), asking(pool, line)
    writes_again(pool, first)
    assert {one.message_id: one.overtaken for one in due(pool)} == {first.id: True, second.id: False}


def test_a_request_whose_message_waits_is_put_off_and_of_one_that_will_not_go_it_is_over(pool: Pool) -> None:
    line = new_line(pool)
    waiting = asking(pool, line, "received")
    for state in ("failed", "dead", "ignored"):
        asking(pool, line, state)
    with pool.autocommit() as cursor:  # so that it is put off by a time that can be seen
        cursor.execute("UPDATE end_requests SET asked_at = now() - interval '1 hour'")
    assert due(pool) == []
    assert left(pool) == {waiting.id: True}
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'sent' WHERE id = %s", (waiting.id,))
        cursor.execute("UPDATE end_requests SET due_at = now()")
    assert [one.message_id for one in due(pool)] == [waiting.id]


def test_of_an_overtaken_request_genesys_is_not_told(pool: Pool) -> None:
    row = asking(pool, new_line(pool))
    writes_again(pool, row)
    timers = SimpleNamespace(after=lambda *_: None)
    parts: Any = SimpleNamespace(pool=pool, timers=timers, channels={"genesys": SimpleNamespace(ends=None)})
    actor = EndsActor.start(parts)
    try:
        wait_until(lambda: not left(pool), message="the request to be over")
    finally:
        actor.stop()
    with pool.autocommit() as cursor:
        cursor.execute("SELECT event FROM message_events WHERE message_id = %s", (row.id,))
        assert cursor.fetchall() == [("end_overtaken",)]
