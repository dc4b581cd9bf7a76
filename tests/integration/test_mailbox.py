"""The order of a lane is the same from memory and from PostgreSQL, also after a read that failed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import gevent
import pytest
from gevent.event import Event

from db.mailbox import messages, unfinished
from db.pool import DatabaseError, Pool
from relay.actors.conversation import ConversationActor
from relay.core.conversation.events import Arrived, Wake
from relay.core.conversation.hold import Hold
from relay.core.conversation.lane import LANE_LIMIT
from relay.core.conversation.place import Place
from relay.core.mailbox import NewRow, Row
from relay.core.ordering import sort_key
from relay.runtime.actor import RelayActor
from relay.runtime.commands import AskTurn, Dispatch, Turn
from relay.runtime.rows import GROUP, RowsReader
from relay.runtime.timers import Timers
from tests.integration.rows import NOW, new_message
from tests.waiting import PATIENCE, wait_until


def another(pool: Pool, row: Row, arrived_at: float, index: int) -> Row:
    """One more message of the conversation of `row`."""
    message = replace(row.message, source_id=uuid4().hex)
    row = replace(row, id=messages.new_id(), key=sort_key("whatsapp", NOW, arrived_at, index), message=message)
    with pool.transaction() as cursor:
        messages.insert(cursor, [NewRow(row, {})])
    return row


def test_a_key_read_back_sorts_as_it_did_in_memory(pool: Pool, line_id: str) -> None:
    """A web server's clock is finer than PostgreSQL's: of one POST half the keys may be read back, half not."""
    first = new_message(pool, line_id, "inbound")
    dice = random.Random(3)
    rows = [another(pool, first, NOW + dice.random(), index) for index in range(50)]
    with pool.transaction() as cursor:
        found = messages.unfinished(cursor, [first.conversation_id], 100)
    back = {row.id: row.key for row in found[first.conversation_id, "inbound"]}
    assert [back[row.id] for row in rows] == [row.key for row in rows]


class Channel(RelayActor):
    """A channel that grants every turn, and hears what is launched."""

    def __init__(self, sent: list[str]) -> None:
        super().__init__()
        self._sent = sent

    def handle(self, command: Any) -> None:
        if isinstance(command, AskTurn):
            command.conversation.tell(Turn(command.lane, self.actor_ref, self.actor_ref, {}))
        elif isinstance(command, Dispatch):
            self._sent.append(command.job.message_id)


class Outage:
    """The pool, away until `over`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.asked, self.over = Event(), False

    @contextmanager
    def autocommit(self) -> Iterator[Any]:
        self.asked.set()
        if not self.over:
            raise DatabaseError("PostgreSQL is away")
        with self._pool.autocommit() as cursor:
            yield cursor


@pytest.fixture
def timers() -> Iterator[Timers]:
    timers = Timers()
    timers.start(lambda error: pytest.fail(f"the timers ended: {error}"))
    yield timers
    timers.stop()


def test_what_arrives_while_the_mailbox_cannot_be_read_does_not_overtake_it(
    pool: Pool, line_id: str, timers: Timers
) -> None:
    older = new_message(pool, line_id, "inbound")
    newer = another(pool, older, NOW + 1, 0)
    mapping = unfinished.read(pool, [older.conversation_id], 10)[older.conversation_id].mapping
    assert mapping is not None
    outage, sent = Outage(pool), list[str]()
    channel = Channel.start(sent)
    limits = SimpleNamespace(request=10.0)
    rows = RowsReader(cast(Pool, outage))
    parts: Any = SimpleNamespace(pool=outage, timers=timers, limits=limits, tenant=lambda _: channel, rows=rows)
    place = Place(older.shard, 1, 60.0, lambda _: "general")
    actor = ConversationActor.start(parts, older.conversation_id, place, lambda *_: Hold(0.0), lambda _: None)
    actor.tell(Wake(older.conversation_id))
    assert outage.asked.wait(PATIENCE)
    actor.tell(Arrived(mapping, [newer]))
    outage.over = True
    wait_until(lambda: sent, message="the first message to be launched")
    actor.stop()
    channel.stop()
    assert sent[0] == older.id


class Counted:
    """The pool, and how often it was asked for a connection."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.times = 0

    @contextmanager
    def autocommit(self) -> Iterator[Any]:
        self.times += 1
        with self._pool.autocommit() as cursor:
            yield cursor


def test_conversations_that_read_at_the_same_time_share_the_statements(pool: Pool, line_id: str) -> None:
    """And each gets its own lanes, a whole one as well as an empty one."""
    firsts = [new_message(pool, line_id, "inbound" if number % 2 else "outbound") for number in range(GROUP)]
    long = firsts[3]
    of_long = [long, *(another(pool, long, NOW + 1 + number, 0) for number in range(LANE_LIMIT + 5))]
    counted = Counted(pool)
    reader = RowsReader(cast(Pool, counted))
    asked = {row.conversation_id: gevent.spawn(reader.read, row.conversation_id) for row in firsts}
    gevent.joinall(list(asked.values()), timeout=PATIENCE, raise_error=True)
    for row in firsts:
        found = asked[row.conversation_id].value
        assert found.mapping.conversation_id == row.conversation_id
        kept = of_long[: LANE_LIMIT + 1] if row is long else [row]
        assert [one.id for one in found.lanes[row.direction]] == [one.id for one in kept]
        assert found.lanes["outbound" if row.direction == "inbound" else "inbound"] == []
    assert counted.times <= 2


def test_rows_that_cannot_be_read_keep_nobody_else_from_reading(pool: Pool, line_id: str) -> None:
    sound, broken = (new_message(pool, line_id) for _ in range(2))
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET content = '[]' WHERE id = %s", (broken.id,))
    reader = RowsReader(pool)
    fails, works = (gevent.spawn(reader.read, row.conversation_id) for row in (broken, sound))
    gevent.joinall([fails, works], timeout=PATIENCE)
    assert [row.id for row in works.get().lanes["outbound"]] == [sound.id]
    with pytest.raises(messages.UnreadableRowsError, match=broken.id):
        fails.get()


def test_a_broken_page_keeps_only_those_whose_rows_are_on_it_from_reading(pool: Pool, line_id: str) -> None:
    """PostgreSQL says the same of a value that is no JSON inside: an error of its own, XX000."""
    sound, broken = (new_message(pool, line_id) for _ in range(2))
    with pool.transaction() as cursor:
        cursor.execute("CREATE CAST (bytea AS jsonb) WITHOUT FUNCTION")
        cursor.execute("UPDATE message_tracking SET content = '\\x00000000'::bytea::jsonb WHERE id = %s", (broken.id,))
        cursor.execute("DROP CAST (bytea AS jsonb)")
    reader = RowsReader(pool)
    fails, works = (gevent.spawn(reader.read, row.conversation_id) for row in (broken, sound))
    gevent.joinall([fails, works], timeout=PATIENCE)
    with pytest.raises(DatabaseError, match="XX000"):
        fails.get()
    assert [row.id for row in works.get().lanes["outbound"]] == [sound.id]


def test_what_an_agent_is_to_be_told_of_is_read_with_its_own_conversation(pool: Pool, line_id: str) -> None:
    told, other = (new_message(pool, line_id) for _ in range(2))
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'sent', report = 'delivered' WHERE id = %s", (told.id,))
    found = unfinished.read(pool, [told.conversation_id, other.conversation_id], 10)
    assert [(one.message_id, one.report) for one in found[told.conversation_id].reports] == [(told.id, "delivered")]
    assert found[told.conversation_id].lanes["outbound"] == []
    assert found[other.conversation_id].reports == []
