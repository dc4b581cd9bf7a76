"""A row on which the relay itself fails each time: set aside within a bound, while the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from db.daemons import shards
from db.mailbox import given_up, messages
from db.pool import Pool
from relay.actors.conversation import ConversationActor
from relay.core.conversation import poison
from relay.core.conversation.departure import hindrance
from relay.core.conversation.events import OutcomeWritten, Wake
from relay.core.conversation.hold import Hold
from relay.core.conversation.place import Place
from relay.core.mailbox import NewRow, Row, RowStatus
from relay.core.ordering import sort_key
from relay.runtime.actor import RelayActor
from relay.runtime.commands import AskTurn, Dispatch, PassTurn, Turn
from relay.runtime.rows import RowsReader
from relay.runtime.timers import Timers
from tests.integration.rows import NOW, new_message
from tests.waiting import wait_until


class Side(RelayActor):
    """Grants every turn, and takes every message that it is handed. `lent`: turns that have not come back."""

    def __init__(self, pool: Pool, sent: list[str], lent: list[int]) -> None:
        super().__init__()
        self._pool, self._sent, self._lent = pool, sent, lent

    def handle(self, command: Any) -> None:
        if isinstance(command, AskTurn):
            self._lent[0] += 1
            command.conversation.tell(Turn(command.lane, self.actor_ref, self.actor_ref, {}))
        elif isinstance(command, PassTurn):
            self._lent[0] -= 1
        elif isinstance(command, Dispatch):
            self._lent[0] -= 1
            self._take(command)

    def _take(self, dispatch: Dispatch) -> None:
        job = dispatch.job
        with self._pool.transaction() as cursor:
            cursor.execute("UPDATE message_tracking SET state = 'sent' WHERE id = %s", (job.message_id,))
        self._sent.append(job.message_id)
        status = RowStatus(job.message_id, job.conversation_id, job.shard, "sent", None, "", NOW, None, None)
        dispatch.conversation.tell(OutcomeWritten(job.message_id, status, None))


@dataclass
class House:
    parts: Any
    epochs: dict[int, int]
    sent: list[str]
    lent: list[int]

    def start(self, row: Row) -> Any:
        place = Place(row.shard, self.epochs[row.shard], 60.0, lambda _: "general")
        actor = ConversationActor.start(self.parts, row.conversation_id, place, lambda *_: Hold(0.0), lambda _: None)
        actor.tell(Wake(row.conversation_id))
        return actor


@pytest.fixture
def house(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(poison, "backoff", lambda _times: 0.01)
    daemon_id = str(uuid4())
    with pool.transaction() as cursor:
        shards.renew(cursor, daemon_id, "test", 60)
        epochs = {n: one.epoch for n, one in shards.take(cursor, daemon_id, 16).items()}
    timers = Timers()
    timers.start(lambda error: pytest.fail(f"the timers ended: {error}"))
    sent, lent = list[str](), [0]
    side = Side.start(pool, sent, lent)
    parts: Any = SimpleNamespace(pool=pool, timers=timers, tenant=lambda _: side, rows=RowsReader(pool))
    yield House(parts, epochs, sent, lent)
    side.stop()
    timers.stop()
    with pool.transaction() as cursor:
        shards.leave(cursor, daemon_id)


def following(pool: Pool, row: Row, seconds: int, **other: Any) -> Row:
    message = replace(row.message, source_id=uuid4().hex)
    row = replace(row, id=messages.new_id(), key=sort_key("genesys", NOW, NOW + seconds, 0), message=message, **other)
    with pool.transaction() as cursor:
        messages.insert(cursor, [NewRow(row, {})])
    return row


def stands(pool: Pool, row: Row) -> tuple[str, str | None, str | None, str | None]:
    with pool.transaction() as cursor:
        cursor.execute("SELECT state, reason_code, report, reported FROM message_tracking WHERE id = %s", (row.id,))
        return cast(tuple[str, str | None, str | None, str | None], cursor.fetchone())


def test_a_row_that_cannot_be_read_back_is_set_aside_and_the_rest_goes_on(
    pool: Pool, line_id: str, house: House
) -> None:
    first = new_message(pool, line_id, "inbound")
    broken, last = (following(pool, first, seconds) for seconds in (1, 2))
    with pool.transaction() as cursor:
        cursor.execute('UPDATE message_tracking SET content = \'{"no": "message"}\' WHERE id = %s', (broken.id,))
    actor = house.start(first)
    wait_until(lambda: house.sent == [first.id, last.id], message="the others to go")
    assert stands(pool, broken)[:2] == ("dead", given_up.CODE)
    actor.stop()


def test_a_row_on_which_a_decision_fails_is_set_aside_and_neighbours_do_not_notice(
    pool: Pool, line_id: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, neighbour = new_message(pool, line_id), new_message(pool, line_id)
    other_way = following(pool, broken, 1, direction="inbound")
    last = following(pool, broken, 2)

    def odd(direction: Any, message: Any, *rest: Any, **more: Any) -> Any:
        if message.source_id == broken.message.source_id:
            raise ValueError("odd")
        return hindrance(direction, message, *rest, **more)

    monkeypatch.setattr("relay.core.conversation.conversation.hindrance", odd)
    actors = [house.start(broken), house.start(neighbour)]
    wait_until(lambda: {neighbour.id, last.id, other_way.id} <= set(house.sent), message="the others to go")
    assert stands(pool, broken)[:3] == ("dead", given_up.CODE, "failed"), "and its agent is to be told"
    assert actors[1]._actor_weakref()._failures is None
    wait_until(lambda: house.lent[0] <= 1, message="each turn but that of the report to come back")
    for actor in actors:
        actor.stop()


def test_a_conversation_that_fails_as_a_whole_ends_all_that_waits_in_it(
    pool: Pool, line_id: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [new_message(pool, line_id)]
    rows += [following(pool, rows[0], seconds) for seconds in (1, 2)]
    read = house.parts.rows.read

    def odd(conversation_id: str) -> Any:
        if conversation_id == rows[0].conversation_id:
            raise ValueError("odd")
        return read(conversation_id)

    monkeypatch.setattr(house.parts.rows, "read", odd)
    actor = house.start(rows[0])
    wait_until(
        lambda: all(stands(pool, one) == ("dead", given_up.CODE, "failed", "failed") for one in rows),
        message="all of it to end, the word to the agent too",
    )
    actor.stop()


def test_whoever_has_lost_the_shard_sets_nothing_aside(pool: Pool, line_id: str, house: House) -> None:
    row = new_message(pool, line_id)
    with pool.transaction() as cursor:
        assert given_up.rows(cursor, [row.id], row.shard, house.epochs[row.shard] - 1) == []
        assert [one for one, _ in given_up.rows(cursor, [row.id], row.shard, house.epochs[row.shard])] == [row.id]
    assert stands(pool, row)[0] == "dead"
