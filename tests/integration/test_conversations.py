"""When a conversation was last active, and the order in which its rows are locked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from db.contacts import conversations
from db.contacts.seen import Arrival, SeenPerson
from db.pool import DatabaseError, Pool
from relay.core.messages import Message, Person, Update, dump
from relay.intake.intake import Intake
from relay.stores import catalogues
from tests.integration.told import START, World
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def world(pool: Pool) -> World:
    return World(pool)


def last_at(world: World, conversation_id: str) -> datetime:
    with world.pool.transaction() as cursor:
        cursor.execute("SELECT last_at FROM conversation_mappings WHERE id = %s::uuid", (conversation_id,))
        found: datetime = cursor.fetchone()[0]
    return found


def test_the_newest_arrival_counts_and_none_that_lies_ahead(world: World) -> None:
    contact = world.contact("491511111111")
    world.change("UPDATE conversation_mappings SET last_at = %s WHERE id = %s::uuid", START, contact.conversation_id)

    def arrives(*seconds: float) -> datetime:
        with world.pool.transaction() as cursor:
            at = [Arrival(contact.conversation_id, START.timestamp() + second) for second in seconds]
            conversations.touch(cursor, at)
        return last_at(world, contact.conversation_id)

    assert arrives(5, 9, 7) == START + timedelta(seconds=9)
    assert arrives(-3) == START + timedelta(seconds=9)
    assert arrives(10.0**10) <= datetime.now(UTC)


def test_intake_touches_new_known_and_remembered_contacts(world: World) -> None:
    known, remembered = world.contact("491520000001"), world.contact("491520000002")
    world.change("UPDATE conversation_mappings SET last_at = %s", START)
    at = START.timestamp() + 60
    with world.pool.transaction() as cursor:
        seen = [SeenPerson(world.tenant_id, known.line_id, Person("491520000001", "491520000001"), at)]
        found = conversations.resolve(cursor, seen, 16, [Arrival(remembered.conversation_id, at + 1)])
    assert [one.conversation_id for one in found] == [known.conversation_id, remembered.conversation_id]
    assert last_at(world, known.conversation_id) == START + timedelta(seconds=60)
    assert last_at(world, remembered.conversation_id) == START + timedelta(seconds=61)
    world.contact("491520000001")  # only looked up
    assert last_at(world, known.conversation_id) == START + timedelta(seconds=60)


def test_an_arrival_makes_its_conversation_the_last_active(world: World) -> None:
    person = Person("491550000000", "491550000000")
    speech: Any = SimpleNamespace(
        parse=lambda payload: [Message(payload["id"], person, payload["at"], text="Hello")],
        fit=lambda message: [message],
    )
    intake = Intake(world.pool, {"whatsapp": speech, "genesys": speech}, 16, catalogues.say)
    contact = world.contact("491550000000")
    world.change("UPDATE conversation_mappings SET last_at = %s", START)
    for minute in (1, 3, 2):
        at = START.timestamp() + 60 * minute
        payload = {"id": f"wamid.{minute}", "at": at}
        update = Update("whatsapp", world.tenant_id, contact.line_id, "491550000000", at, 0, payload)
        intake.take([dump(update)])
    assert last_at(world, contact.conversation_id) == START + timedelta(minutes=3)


@pytest.mark.parametrize("by", ["touch", "lock"])
def test_rows_are_locked_in_the_order_of_their_ids_whoever_asks_how(world: World, by: str) -> None:
    """Held up at the first row, nobody has the second yet: so no two ever wait for each other."""
    ids = sorted(world.contact(f"49153000000{n}").conversation_id for n in range(2))
    world.change("UPDATE conversation_mappings SET last_at = %s", START)
    backwards = [Arrival(one, START.timestamp() + 1) for one in reversed(ids)]

    def work() -> None:
        with world.pool.transaction() as cursor:
            if by == "touch":
                conversations.touch(cursor, backwards)
            else:
                conversations.lock(cursor, [one.conversation_id for one in backwards])

    with world.pool.transaction() as cursor:
        conversations.lock(cursor, ids[:1])
        waits = gevent.spawn(work)
        wait_until(lambda: _blocked(world.pool), message="the other transaction to wait")
        cursor.execute("SELECT 1 FROM conversation_mappings WHERE id = %s::uuid FOR UPDATE NOWAIT", (ids[1],))
    waits.get(timeout=PATIENCE)


def test_a_locked_row_is_seen_as_locked(world: World) -> None:
    """The probe of the test above tells the difference."""
    contact = world.contact("491540000000")
    with world.pool.transaction() as cursor:
        conversations.lock(cursor, [contact.conversation_id])
        with pytest.raises(DatabaseError, match="could not obtain lock"):
            _probe(world.pool, contact.conversation_id)


def _probe(pool: Pool, conversation_id: str) -> None:
    with pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM conversation_mappings WHERE id = %s::uuid FOR UPDATE NOWAIT", (conversation_id,))


def _blocked(pool: Pool) -> bool:
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])
