"""Lists of messages, one message with all about it, and how a list goes on."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from db.paging import CursorError, encode
from db.pool import Pool
from db.views import history, search
from db.views.history import MessageSelection
from db.views.search import ConversationSearch
from relay.core.explain.steps import Tracked
from tests.integration.told import START, World


@pytest.fixture(params=["owner", "tenant"])
def world(request: pytest.FixtureRequest, pool: Pool) -> World:
    """Read as the owner, and as the role that PostgreSQL limits to the tenant."""
    made = World(pool)
    if request.param == "tenant":
        made.pool = pool
    return made


@pytest.fixture
def asking(request: pytest.FixtureRequest, world: World) -> Pool:
    limited = request.node.callspec.params["world"] == "tenant"
    return world.pool.of_tenant(world.tenant_id) if limited else world.pool


def listed(pool: Pool, world: World, **wanted: Any) -> list[str]:
    return [one.id for one in history.listed(pool, MessageSelection(world.tenant_id, **wanted)).items]


def test_pages_of_several_lines_hold_everything_once_and_in_order(world: World, asking: Pool) -> None:
    dice = random.Random(5)
    made = []
    for _ in range(3):
        contact = world.contact(f"49151{dice.randrange(10**6)}")
        for _ in range(11):
            at = START + timedelta(seconds=dice.randrange(4))
            made.append((at, world.message(contact, at, direction=dice.choice(history.DIRECTIONS))))
        world.line()
    found: list[Tracked] = []
    before = None
    while True:
        page = history.listed(asking, MessageSelection(world.tenant_id, before=before), limit=4)
        found += page.items
        before = page.next
        if before is None:
            break
    assert sorted(one.id for one in found) == sorted(message_id for _, message_id in made)
    keys = [(one.arrived_at, one.seq) for one in found]
    assert keys == sorted(keys, reverse=True)


def test_filters_find_what_they_name(world: World, asking: Pool) -> None:
    anna, ben = world.contact("4915100000001"), world.contact("4915200000002")
    read = world.message(anna, START, direction="outbound", state="read", source_id="genesys-1")
    dead = world.message(anna, START + timedelta(hours=1), state="dead")
    failed = world.message(ben, START + timedelta(hours=2), state="failed")
    other_line = world.line()
    sent = world.message(world.contact("4915200000002"), START + timedelta(hours=3))
    assert listed(asking, world) == [sent, failed, dead, read]
    assert listed(asking, world, states=["failed", "dead"]) == [failed, dead]
    assert listed(asking, world, states=["read"], direction="inbound") == []
    assert listed(asking, world, direction="outbound") == [read]
    assert listed(asking, world, line_id=other_line) == [sent]
    assert listed(asking, world, line_id=other_line, states=["dead"]) == []
    assert listed(asking, world, since=START + timedelta(hours=1), until=START + timedelta(hours=3)) == [failed, dead]
    assert listed(asking, world, reference="genesys-1") == [read]
    assert listed(asking, world, reference=dead, states=["failed"]) == []
    assert listed(asking, world, conversation_id=anna.conversation_id) == [dead, read]
    assert listed(asking, world, q="+49 152") == [sent, failed]
    assert listed(asking, world, q="0049 (151)", direction="outbound") == [read]
    assert listed(asking, world, q="nonsense\x00\ud800") == []
    assert listed(asking, world, reference="nonsense\x00\ud800") == []


def test_lists_with_and_without_a_state_miss_none(world: World, asking: Pool) -> None:
    """Whatever the table lets a state be."""
    with world.pool.transaction() as cursor:
        cursor.execute(
            """SELECT pg_get_constraintdef(oid) FROM pg_constraint
               WHERE conrelid = 'message_tracking'::regclass AND conname = 'message_tracking_state_check'"""
        )
        states = re.findall(r"'(\w+)'", cursor.fetchone()[0])
    contact = world.contact()
    made = {state: world.message(contact, START, state=state) for state in states}
    assert len(made) == 10
    assert set(listed(asking, world)) == set(made.values())
    for state in states:
        assert listed(asking, world, states=[state]) == [made[state]]


def test_another_tenant_finds_nothing_by_any_way(world: World, asking: Pool) -> None:
    theirs = World(world.pool)
    contact = theirs.contact("4916000000000")
    message_id = theirs.message(contact, source_id="theirs")
    theirs.attempt(message_id, 1, START, "sent", "provider-theirs")
    for wanted in (
        {}, {"q": "4916"}, {"reference": "theirs"}, {"reference": message_id}, {"reference": "provider-theirs"},
        {"conversation_id": contact.conversation_id}, {"line_id": contact.line_id}, {"states": ["sent"]},
    ):  # fmt: skip
        assert listed(asking, world, **wanted) == []
    assert history.get(asking, world.tenant_id, message_id) is None
    assert history.payload(asking, world.tenant_id, message_id) is None
    assert search.get(asking, world.tenant_id, contact.conversation_id) is None
    assert search.timeline(asking, world.tenant_id, contact.conversation_id).items == []
    for q in ("4916", "theirs", message_id, contact.conversation_id):
        assert search.listed(asking, ConversationSearch(world.tenant_id, q=q)).items == []


@pytest.mark.parametrize("world", ["owner"], indirect=True)
@pytest.mark.parametrize("before", ["", "x", "ä", "MTIz", encode(1), encode(START, "x"), encode(2**70, 1), "A" * 100])
def test_a_cursor_that_is_none_of_ours_is_refused(world: World, before: str) -> None:
    with pytest.raises(CursorError):
        history.listed(world.pool, MessageSelection(world.tenant_id, before=before))
    with pytest.raises(CursorError):
        search.listed(world.pool, ConversationSearch(world.tenant_id, before=before))
    with pytest.raises(CursorError):
        search.timeline(world.pool, world.tenant_id, str(uuid4()), before)


@pytest.mark.parametrize("world", ["owner"], indirect=True)
def test_the_steps_of_a_message_that_failed_and_arrived_after_all(world: World) -> None:
    def after(seconds: float) -> Any:
        return START + timedelta(seconds=seconds)

    message_id = world.message(
        world.contact(), direction="outbound", state="delivered", attempts=2, created_at=after(0.1), sent_at=after(3),
        failed_at=after(5), delivered_at=after(9), report="delivered", reported="delivered",
    )  # fmt: skip
    world.attempt(message_id, 1, after(0.5), "retry")
    world.attempt(message_id, 2, after(2.5), "sent")
    world.event(message_id, after(6), "reported", "failed")
    world.event(message_id, after(9.5), "reported", "delivered")
    found = history.get(world.pool, world.tenant_id, message_id)
    assert found is not None
    assert [(one.name, one.seconds) for one in found.steps] == [
        ("arrived", None), ("stored", 0.1), ("claimed", 0.4), ("claimed_again", 2.0), ("sent", 0.5), ("failed", 2.0),
        ("reported", 1.0), ("delivered", 3.0), ("reported", 0.5),
    ]  # fmt: skip
    assert found.steps[6].text.endswith("failed")
    assert found.steps[8].text.endswith("delivered")


@pytest.mark.parametrize("world", ["owner"], indirect=True)
def test_of_many_calls_the_newest_are_shown_and_the_first_is_a_step(world: World) -> None:
    message_id = world.message(world.contact(), state="received", attempts=130)
    for n in range(1, 131):
        world.attempt(message_id, n, START + timedelta(seconds=n), "retry")
    found = history.get(world.pool, None, message_id)
    assert found is not None
    assert [one.n for one in found.attempts] == list(range(31, 131))
    assert [(one.name, one.at) for one in found.steps][2:] == [
        ("claimed", START + timedelta(seconds=1)),
        ("claimed_again", START + timedelta(seconds=130)),
    ]
