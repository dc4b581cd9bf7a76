"""Until when the business may write freely, and which of the contact's messages is the newest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.contacts import conversations
from db.contacts.seen import Arrival
from db.mailbox import receipts
from db.mailbox.receipts import LineReceipt
from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping
from relay.core.messages import Receipt
from relay.core.threads import ThreadFact, prevailing
from tests.integration.rows import updates
from tests.integration.told import World

NOW = datetime.now(UTC).replace(microsecond=0)
T = NOW.timestamp()
DAY = 86_400.0


@pytest.fixture(scope="module")
def world(pool: Pool) -> World:
    return World(pool)


@pytest.fixture
def contact(world: World) -> ConversationMapping:
    world.line()
    return world.contact("4915112345678")


def write(world: World, contact: ConversationMapping, wamid: str, at: float, hours: float = 24) -> ConversationMapping:
    """A message that the contact wrote at `at`, as intake writes it down."""
    with world.pool.transaction() as cursor:
        arrival = Arrival(contact.conversation_id, T, T + at + hours * 3600, wamid, T + at)
        found = conversations.touch(cursor, [arrival])[contact.conversation_id]
    world.message(contact, NOW + timedelta(seconds=at), source_id=wamid)
    return found


def row_status(world: World, contact: ConversationMapping) -> ConversationMapping:
    found = conversations.by_id(world.pool, contact.conversation_id)
    assert found
    return found


def close(world: World, contact: ConversationMapping, at: float) -> float | None:
    with world.pool.transaction() as cursor:
        conversations.close_window(cursor, contact.conversation_id, T + at)
    return row_status(world, contact).window_until


def test_the_latest_end_counts_in_whatever_order_messages_come(world: World, contact: ConversationMapping) -> None:
    assert contact.window_until is None and contact.last_inbound_id is None
    assert write(world, contact, "b", -50).window_until == T - 50 + DAY
    late = write(world, contact, "a", -90)
    assert (late.window_until, late.last_inbound_id) == (T - 50 + DAY, "b")
    newer = write(world, contact, "c", -10)
    assert (newer.window_until, newer.last_inbound_id) == (T - 10 + DAY, "c")
    assert row_status(world, contact) == newer


def test_the_newest_is_known_when_its_message_is_gone(world: World, contact: ConversationMapping) -> None:
    write(world, contact, "b", -50)
    world.change("DELETE FROM message_tracking WHERE conversation_id = %s::uuid", contact.conversation_id)
    assert write(world, contact, "a", -90).last_inbound_id == "b"


def test_a_message_changes_no_index_of_its_conversation(world: World, contact: ConversationMapping) -> None:
    slot = T // 600 * 600 + 100
    with world.pool.transaction() as cursor:
        cursor.execute(
            "UPDATE conversation_mappings SET last_at = to_timestamp(%s) WHERE id = %s::uuid",
            (slot - 600, contact.conversation_id),
        )
        before = updates(cursor, "conversation_mappings")
        conversations.touch(cursor, [Arrival(contact.conversation_id, slot - 590, T + DAY, "a", T)])
        assert updates(cursor, "conversation_mappings") == (before[0] + 1, before[1] + 1)
        conversations.touch(cursor, [Arrival(contact.conversation_id, slot - 590, T + DAY, "b", T - 1)])
        assert updates(cursor, "conversation_mappings") == (before[0] + 1, before[1] + 1), "nothing is new"


def test_after_an_ad_it_is_longer_and_newer_messages_are_still_newer(
    world: World, contact: ConversationMapping
) -> None:
    write(world, contact, "ad", -100, hours=168)
    found = write(world, contact, "plain", -50)
    assert (found.window_until, found.last_inbound_id) == (T - 100 + 7 * DAY, "plain")


def test_several_in_one_batch(world: World, contact: ConversationMapping) -> None:
    id_ = contact.conversation_id
    arrivals = [
        Arrival(id_, T, T + DAY, "x", T),
        Arrival(id_, T, T + DAY, "y", T),
        Arrival(id_, T + 1, T + DAY - 5, "w", T - 5),
        Arrival(id_, T + 2),
    ]
    with world.pool.transaction() as cursor:
        found = conversations.touch(cursor, arrivals)
    assert list(found) == [id_]
    assert (found[id_].window_until, found[id_].last_inbound_id) == (T + DAY, "y")


def test_a_clock_that_runs_ahead_opens_no_window_without_end(world: World, contact: ConversationMapping) -> None:
    found = write(world, contact, "f", 10.0**6, hours=10**6)
    assert found.window_until is not None
    assert found.window_until <= datetime.now(UTC).timestamp() + 7 * DAY


def test_the_provider_says_that_it_is_closed(world: World, contact: ConversationMapping) -> None:
    assert close(world, contact, -200) == T - 200, "nobody knew of one"
    write(world, contact, "a", -100)
    assert close(world, contact, -50) == T - 100 + DAY, "what the contact wrote counts for more"
    assert write(world, contact, "b", -10).window_until == T - 10 + DAY


def test_after_a_day_the_provider_knows_better(world: World, contact: ConversationMapping) -> None:
    """Seven days after an advertisement are given only to who answered within the first."""
    write(world, contact, "ad", -DAY + 60, hours=168)
    assert close(world, contact, -1) == T + 6 * DAY + 60, "within the day"
    write(world, contact, "older", -2 * DAY)
    assert close(world, contact, 61) == T + 61


@pytest.mark.parametrize("ending", [5 * DAY, 9 * DAY])
def test_a_receipt_says_until_when_it_is_open(world: World, contact: ConversationMapping, ending: float) -> None:
    """What is known already is never made less: a refusal closes it."""
    write(world, contact, "ad", -100, hours=168)
    sent = world.message(contact, NOW, direction="outbound", state="sent", provider_id="wamid.told")
    told = LineReceipt(contact.line_id, Receipt("wamid.told", "sent", T, sent, window_until=T + ending))
    with world.pool.transaction() as cursor:
        receipts.record(cursor, [told])
    assert row_status(world, contact).window_until == max(T - 100 + 7 * DAY, T + ending)


def test_an_invitation_is_good_until_the_contact_writes_again(world: World, contact: ConversationMapping) -> None:
    write(world, contact, "a", -2 * DAY)
    with world.pool.transaction() as cursor:
        conversations.invited(cursor, contact.conversation_id, T - 10)
    with world.pool.transaction() as cursor:
        found = conversations.touch(cursor, [Arrival(contact.conversation_id, T)])[contact.conversation_id]
    assert found.invited_at == T - 10
    assert write(world, contact, "b", -5).invited_at is None


FACTS = [
    ThreadFact("owned", T - 20), ThreadFact("elsewhere", T - 20, "ai_agent"), ThreadFact("elsewhere", T - 10),
    ThreadFact("owned", T - 10, "escalation"), ThreadFact("idle", T - 5), ThreadFact("owned", T - 5),
    ThreadFact("unknown", T - 3),
]  # fmt: skip


@pytest.mark.parametrize("known", FACTS)
@pytest.mark.parametrize("new", FACTS)
def test_who_answers_a_contact_is_decided_in_the_database_as_in_memory(
    world: World, contact: ConversationMapping, known: ThreadFact, new: ThreadFact
) -> None:
    with world.pool.transaction() as cursor:
        conversations.touch(cursor, [Arrival(contact.conversation_id, thread=known)])
        found = conversations.touch(cursor, [Arrival(contact.conversation_id, thread=new)])[contact.conversation_id]
        again = [Arrival(contact.conversation_id, thread=one, heard_at=T - 7) for one in (new, known)]
        together = conversations.touch(cursor, again)[contact.conversation_id]
    assert found.thread is not None and found.thread == prevailing(new, known)
    assert together.thread and (together.thread.state, together.thread.at) == (found.thread.state, found.thread.at)
    assert together.heard_at == T - 7


def test_a_failure_that_says_who_answers_is_heard(world: World, contact: ConversationMapping) -> None:
    sent = world.message(contact, NOW, direction="outbound", provider_id="wamid.lost")
    with world.pool.transaction() as cursor:
        told = Receipt("wamid.lost", "failed", T, sent, "131070", thread=ThreadFact("elsewhere", T))
        receipts.record(cursor, [LineReceipt(contact.line_id, told)])
    assert row_status(world, contact).thread == ThreadFact("elsewhere", T)
