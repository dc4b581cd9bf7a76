"""Conversations: found by whatever somebody knows of them, and read as a timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.contacts import conversations
from db.pool import Pool
from db.views import search
from db.views.search import ConversationSearch
from relay.core.contacts.mapping import ConversationMapping
from tests.integration.told import START, World


@pytest.fixture(scope="module")
def world(pool: Pool) -> World:
    return World(pool)


@pytest.fixture(scope="module")
def people(world: World) -> dict[str, ConversationMapping]:
    made = {
        "anna": world.contact("4915112345678", "Anna Katharina Öztürk", bsuid="DE.13491208655302741918"),
        "ben": world.contact("4915112399999", "Ben O'Neil"),
        "eloise": world.contact("33612345678", "Éloïse"),
    }
    world.line()
    made["anna elsewhere"] = world.contact("4915112345678", "Anna Katharina Öztürk")
    return made


@pytest.fixture(params=["owner", "tenant"])
def found(request: pytest.FixtureRequest, world: World, people: dict[str, ConversationMapping]) -> Any:
    """Names of the people that are found, sorted."""
    names = {one.conversation_id: name for name, one in people.items()}
    asking = world.pool if request.param == "owner" else world.pool.of_tenant(world.tenant_id)
    return lambda q, **more: sorted(
        names[one.id] for one in search.listed(asking, ConversationSearch(world.tenant_id, q, **more)).items
    )


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("+49 151 123 45678", ["anna", "anna elsewhere"]),
        ("0049-151 1239", ["ben"]),
        ("491511", ["anna", "anna elsewhere", "ben"]),
        ("1511", []),
        ("anna k", ["anna", "anna elsewhere"]),
        ("ANNA", ["anna", "anna elsewhere"]),
        ("Katharina", []),
        ("ö", []),
        ("Öz", ["anna", "anna elsewhere"]),
        ("o'ne", ["ben"]),
        ("Élo", ["eloise"]),
        ("DE.1349", ["anna"]),
        ("%", []),
        ("_", []),
        ("\x00\ud800", []),
        ("   ", ["anna", "anna elsewhere", "ben", "eloise"]),
    ],
)
def test_by_the_beginning_of_number_name_last_word_or_user_id(found: Any, q: str, expected: list[str]) -> None:
    assert found(q) == expected


def test_by_any_exact_id(found: Any, world: World, people: dict[str, ConversationMapping]) -> None:
    ben = people["ben"]
    message_id = world.message(ben, source_id="wamid.of-ben")
    with world.pool.transaction() as cursor:
        conversations.see_genesys_conversations(cursor, [(ben.conversation_id, "a-conversation-at-genesys")])
    for q in (ben.conversation_id, "a-conversation-at-genesys", "wamid.of-ben", message_id):
        assert found(q) == ["ben"]
    world.change("DELETE FROM message_tracking WHERE id = %s::uuid", message_id)


def test_by_line(found: Any, world: World) -> None:
    assert found("anna", line_id=world.line_ids[-1]) == ["anna elsewhere"]
    assert found(None, line_id=world.line_ids[-1]) == ["anna elsewhere"]


def test_the_last_active_first_page_by_page(pool: Pool) -> None:
    world = World(pool)
    made = [world.contact(f"49170000000{n}") for n in range(5)]
    world.line()
    made.append(world.contact("491700000009"))
    world.change("UPDATE conversation_mappings SET last_at = %s WHERE tenant_id = %s", START, world.tenant_id)
    order = [3, 5, 0, 1, 4, 2]
    for minute, n in enumerate(reversed(order)):
        # Two at a time are active in the same instant.
        world.message(made[n], START + timedelta(minutes=6 * (1 + minute // 2)))
    ids, before = [], None
    while True:
        page = search.listed(pool, ConversationSearch(world.tenant_id, before=before), limit=1)
        ids += [one.id for one in page.items]
        before = page.next
        if before is None:
            break
    expected = [{made[n].conversation_id for n in pair} for pair in ((3, 5), (0, 1), (4, 2))]
    assert [set(ids[n : n + 2]) for n in (0, 2, 4)] == expected
    since = search.listed(pool, ConversationSearch(world.tenant_id, active_since=START + timedelta(minutes=18)))
    assert {one.id for one in since.items} == expected[0]


def test_the_newest_message_stands_beside_and_trouble_can_be_asked_for(pool: Pool) -> None:
    world, now = World(pool), datetime.now(UTC)
    well, ill = world.contact("491710000001"), world.contact("491710000002")
    world.message(well, now - timedelta(minutes=2), state="received")
    newest = world.message(well, now - timedelta(minutes=1), direction="outbound", state="read")
    world.message(ill, now, state="dead")
    shown = {one.id: one for one in search.listed(pool, ConversationSearch(world.tenant_id)).items}
    assert shown[well.conversation_id].waiting and not shown[ill.conversation_id].waiting
    last = shown[well.conversation_id].last
    assert last is not None and (last.message_id, last.direction, last.text) == (newest, "outbound", "Hello")
    troubled = search.listed(pool, ConversationSearch(world.tenant_id, trouble=True)).items
    assert [one.id for one in troubled] == [ill.conversation_id]


def test_a_timeline_is_in_the_order_of_the_conversation_and_goes_back_in_time(pool: Pool) -> None:
    world = World(pool)
    contact = world.contact()
    # Written in another order than they were said.
    places = [3, 0, 4, 1, 2, 6, 5]
    ids = {n: world.message(contact, START, sort_time=START + timedelta(seconds=n // 2), idx=n) for n in places}
    newest = search.timeline(pool, world.tenant_id, contact.conversation_id, limit=3)
    middle = search.timeline(pool, world.tenant_id, contact.conversation_id, newest.next, limit=3)
    oldest = search.timeline(pool, world.tenant_id, contact.conversation_id, middle.next, limit=3)
    pages = [[one.id for one in page.items] for page in (oldest, middle, newest)]
    assert pages == [[ids[0]], [ids[1], ids[2], ids[3]], [ids[4], ids[5], ids[6]]]
    assert oldest.next is None
