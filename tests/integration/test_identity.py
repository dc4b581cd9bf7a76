"""One person keeps one conversation, whatever becomes of number and user id; nobody gets another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from db.contacts import aliases, conversations
from db.contacts.seen import SeenPerson
from db.mailbox import notices
from db.pool import DatabaseError, Pool
from db.views import search
from demo.stack import Postgres
from relay.core.contacts.mapping import ConversationMapping
from relay.core.errors import StoreError
from relay.core.messages import Message, Person, Typing, Update, dump
from relay.intake import known
from relay.intake.intake import Intake
from relay.stores import catalogues
from tests.integration.told import START, World
from tests.services.postgres_trouble import read_only
from tests.waiting import PATIENCE, wait_until

T = START.timestamp()
NUMBERS = count(4915200000000)
IDS = count(10**17)


@pytest.fixture(scope="module")
def whole(pool: Pool) -> World:
    return World(pool)


@pytest.fixture
def world(whole: World) -> World:
    """A line of its own for each test."""
    whole.line()
    return whole


def number() -> str:
    return str(next(NUMBERS))


def user_id() -> str:
    return f"DE.{next(IDS)}"


def whatsapp(phone: str | None, bsuid: str | None = None, *previous: str, **more: Any) -> Person:
    address = previous[0] if previous else phone or bsuid or ""
    return Person(address, phone, bsuid, previous=previous, **more)


def see(world: World, *people: tuple[Person, float] | SeenPerson, **more: Any) -> list[ConversationMapping]:
    """One batch: people with the second at which WhatsApp says it was."""
    seen = [
        one if isinstance(one, SeenPerson) else SeenPerson(
            world.tenant_id, world.line_ids[-1], one[0], T + one[1], provider_time=T + one[1], **more
        )
        for one in people
    ]  # fmt: skip
    with world.pool.transaction() as cursor:
        return conversations.resolve(cursor, seen, 16)


def genesys(world: World, address: str) -> ConversationMapping:
    return see(world, SeenPerson(world.tenant_id, world.line_ids[-1], Person(address), by="genesys"))[0]


def told(world: World) -> list[str]:
    return [one.kind for one in notices.listed(world.pool, world.tenant_id, world.line_ids[-1]).items]


def test_the_number_comes_is_hidden_and_comes_again(world: World) -> None:
    phone, bsuid = number(), user_id()
    first, hidden, again = (
        see(world, (whatsapp(*names), at))[0] for at, names in enumerate([(phone, bsuid), (None, bsuid), (phone, None)])
    )
    assert first.conversation_id == hidden.conversation_id == again.conversation_id
    assert (again.wa_id, again.bsuid) == (phone, bsuid)
    assert told(world) == []


def test_the_longest_user_ids_as_they_are_written(world: World) -> None:
    longest = "DE.ENT." + "aB3" * 42 + "xY"
    assert len(longest) == 135
    found = see(world, (whatsapp(None, longest), 0))[0]
    assert (found.bsuid, found.genesys_address) == (longest, longest)
    assert see(world, (whatsapp(None, longest.lower()), 1))[0].conversation_id != found.conversation_id


def test_a_username_is_shown_and_finds_nobody(world: World) -> None:
    one = see(world, (whatsapp(None, user_id(), username="kfisher"), 0))[0]
    other = see(world, (whatsapp(None, user_id(), username="kfisher"), 1))[0]
    assert one.conversation_id != other.conversation_id
    assert one.username == other.username == "kfisher"
    changed = see(world, (whatsapp(None, one.bsuid, username="kingfisher"), 2))[0]
    assert (changed.conversation_id, changed.username) == (one.conversation_id, "kingfisher")
    shown = search.get(world.pool, world.tenant_id, one.conversation_id)
    assert shown and shown.conversation.username == "kingfisher"
    assert "kingfisher" not in shown.aliases


def test_news_from_before_a_contact_was_known_that_give_no_new_name_hold_up_nobody(world: World) -> None:
    """The contact's address is taken, but neither name nor former name finds it: the names are younger, or given up."""
    phone = number()
    before = see(world, (whatsapp(phone), 0))[0]
    nameless = Person(phone, previous=(phone,))
    for at in (-10, 5, 10):
        found = see(world, (nameless, at))[0]
        assert found.genesys_address.startswith(phone)
    assert see(world, (whatsapp(phone), -5))[0].conversation_id == before.conversation_id


def test_a_changed_number_and_a_newcomer_under_the_old_one(world: World) -> None:
    old, new, bsuid, other = number(), number(), user_id(), user_id()
    before = see(world, (whatsapp(old, bsuid), 0))[0]
    change = whatsapp(new, other, old, bsuid)
    for _ in range(2):  # webhooks are repeated
        assert see(world, (change, 100))[0].conversation_id == before.conversation_id
    after = see(world, (whatsapp(new, other), 101))[0]
    assert (after.conversation_id, after.wa_id, after.bsuid) == (before.conversation_id, new, other)
    assert after.genesys_address == old

    # What was written before, and comes late, is the same person's; it teaches nothing any more.
    late = see(world, (whatsapp(old, bsuid), 99))[0]
    assert (late.conversation_id, late.wa_id, late.bsuid) == (before.conversation_id, new, other)

    stranger = see(world, (whatsapp(old), 5000))[0]
    assert stranger.conversation_id != before.conversation_id
    assert stranger.genesys_address.startswith(f"{old}-") and len(stranger.genesys_address) == len(old) + 9
    assert see(world, (whatsapp(old, user_id()), 5001))[0].conversation_id == stranger.conversation_id
    # The word of the change comes once more, when the number is somebody else's.
    assert see(world, (change, 100))[0].conversation_id == before.conversation_id
    assert see(world, (whatsapp(old), 5002))[0].conversation_id == stranger.conversation_id

    # Genesys answers each of them by the name that it was given.
    assert genesys(world, old).conversation_id == before.conversation_id
    assert genesys(world, stranger.genesys_address).conversation_id == stranger.conversation_id
    assert genesys(world, old).recipient.wa_id == new
    assert told(world) == []


def test_a_newcomer_with_a_user_id_is_called_by_it(world: World) -> None:
    old, new, stranger = number(), number(), user_id()
    see(world, (whatsapp(old, user_id()), 0))
    see(world, (whatsapp(new, user_id(), old), 100))
    assert see(world, (whatsapp(old, stranger), 200))[0].genesys_address == stranger


def test_whoever_gives_a_number_up_and_takes_it_back_is_the_same(world: World) -> None:
    old, new, ids = number(), number(), [user_id() for _ in range(3)]
    first = see(world, (whatsapp(old, ids[0]), 0))[0]
    see(world, (whatsapp(new, ids[1], old, ids[0]), 100))
    back = see(world, (whatsapp(old, ids[2], new, ids[1]), 200))[0]
    assert (back.conversation_id, back.wa_id) == (first.conversation_id, old)
    assert see(world, (whatsapp(old), 300))[0].conversation_id == first.conversation_id
    assert see(world, (whatsapp(new), 301))[0].conversation_id != first.conversation_id
    # The first change comes again and is out of date.
    assert see(world, (whatsapp(new, ids[1], old, ids[0]), 100))[0].wa_id == old
    assert see(world, (whatsapp(old), 302))[0].conversation_id == first.conversation_id


def test_a_user_id_proves_who_has_a_number_again(world: World) -> None:
    old, new, bsuid = number(), number(), user_id()
    first = see(world, (whatsapp(old, bsuid), 0))[0]
    see(world, (whatsapp(new, user_id(), old, bsuid), 100))
    back = see(world, (whatsapp(old, bsuid), 300))[0]
    assert (back.conversation_id, back.wa_id) == (first.conversation_id, old)
    assert see(world, (whatsapp(old), 301))[0].conversation_id == first.conversation_id


def test_a_changed_user_id(world: World) -> None:
    phone, first, second = number(), user_id(), user_id()
    known = see(world, (whatsapp(phone, first), 0))[0]
    see(world, (whatsapp(None, second, first), 100))
    for at, names in ((101, (None, second)), (102, (phone, second)), (99, (None, first))):
        assert see(world, (whatsapp(*names), at))[0].conversation_id == known.conversation_id
    assert told(world) == []


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "batch by batch"])
def test_the_first_message_under_the_new_names_comes_before_the_word_of_the_change(
    world: World, together: bool
) -> None:
    old, new, bsuid, other = number(), number(), user_id(), user_id()
    known = see(world, (whatsapp(old, bsuid), 0))[0]
    line = (world.tenant_id, world.line_ids[-1])
    early = SeenPerson(
        *line, whatsapp(new, other), T + 101, provider_time=T + 101, window_until=T + 9000, inbound_id="w"
    )
    change = SeenPerson(*line, whatsapp(new, other, old, bsuid), T + 102, provider_time=T + 100)
    later = SeenPerson(*line, whatsapp(new, other), T + 103, provider_time=T + 103)
    if together:
        stray, *joined = see(world, early, change, later)
    else:
        stray, *joined = (see(world, one)[0] for one in (early, change, later))
    assert {one.conversation_id for one in joined} == {known.conversation_id}
    assert stray.conversation_id != known.conversation_id
    # What opened the window there opened the person's; whoever answers there reaches them all the same.
    assert joined[-1].window_until == T + 9000
    assert genesys(world, stray.genesys_address).recipient.wa_id == new
    assert told(world) == ["identity_conflict"]
    see(world, change)
    assert told(world) == ["identity_conflict"]


def test_the_change_and_what_follows_in_one_batch(world: World) -> None:
    old, new = number(), number()
    known = see(world, (whatsapp(old), 0))[0]
    found = see(world, (whatsapp(new, None, old), 100), (whatsapp(new), 101), (whatsapp(old), 99), (whatsapp(old), 102))
    assert [one.conversation_id == known.conversation_id for one in found] == [True, True, True, False]


def test_the_word_of_the_change_comes_before_all_else(world: World) -> None:
    old, new = number(), number()
    found = see(world, (whatsapp(new, None, old), 100))[0]
    assert found.genesys_address == new
    assert see(world, (whatsapp(new), 101))[0].conversation_id == found.conversation_id
    assert see(world, (whatsapp(old), 50))[0].conversation_id == found.conversation_id
    assert see(world, (whatsapp(old), 200))[0].conversation_id != found.conversation_id


def test_a_number_that_somebody_takes_over_reaches_its_former_owner_no_more(world: World) -> None:
    """Two contacts are known; one of them changes to the number that the other one had, of whom nothing was told."""
    phone, gone = number(), number()
    changing, former = see(world, (whatsapp(phone, user_id()), 0), (whatsapp(gone, user_id()), 1))
    found = see(world, (whatsapp(gone, user_id(), phone), 100))[0]
    assert (found.conversation_id, found.wa_id) == (changing.conversation_id, gone)
    assert genesys(world, gone).conversation_id == former.conversation_id
    assert genesys(world, gone).recipient.wa_id is None
    assert genesys(world, gone).recipient.bsuid == former.bsuid


@pytest.mark.parametrize("wrote", [True, False], ids=["has written", "was only dialled"])
def test_without_a_user_id_a_former_owner_is_not_taken_for_the_new_one(world: World, wrote: bool) -> None:
    phone, gone = number(), number()
    changing = see(world, (whatsapp(phone), 0))[0]
    former = see(world, (whatsapp(gone), 1))[0] if wrote else genesys(world, f"+{gone}")
    window = SeenPerson(world.tenant_id, world.line_ids[-1], whatsapp(gone), provider_time=T + 2, window_until=T + 9000)
    if wrote:
        see(world, window)
    found = see(world, (whatsapp(gone, None, phone), 100))[0]
    assert (found.conversation_id, found.wa_id) == (changing.conversation_id, gone)
    assert found.window_until is None, "the other person's window is not this one's"
    to = genesys(world, former.genesys_address).recipient
    assert (to.wa_id, to.bsuid, to.dialled) == (None, None, False)
    assert genesys(world, phone).recipient.wa_id == gone


def test_a_former_owner_loses_the_number_in_whichever_way_it_is_written(world: World) -> None:
    former = see(world, (whatsapp("551187650001"), 0))[0]
    phone = number()
    see(world, (whatsapp(phone), 1), (whatsapp("5511987650001", None, phone), 100))
    assert genesys(world, former.genesys_address).recipient.wa_id is None


@pytest.mark.parametrize("form", ["+{0}{1}{2}", "+{0} {1}/{2}", "00{0}{1}{2}", "+{0} (0){1} {2}"])
def test_a_number_is_the_same_however_an_agent_dials_it(world: World, form: str) -> None:
    phone = number()
    address = form.format(phone[:2], phone[2:5], phone[5:])
    sent = genesys(world, address)
    assert (sent.genesys_address, sent.recipient.dialled) == (address, True)
    answer = see(world, (whatsapp(phone, user_id()), 1))[0]
    assert (answer.conversation_id, answer.wa_id) == (sent.conversation_id, phone)
    assert genesys(world, f"+{phone[:4]}-{phone[4:]}").conversation_id == sent.conversation_id


def test_an_agent_dials_a_number_that_its_owner_has_given_up(world: World) -> None:
    old = number()
    before = see(world, (whatsapp(old), 0), (whatsapp(number(), None, old), 100))[0]
    sent = genesys(world, f"+{old}")
    assert sent.conversation_id != before.conversation_id
    assert sent.recipient.dialled
    assert genesys(world, f"+{old}").recipient.dialled


def test_an_argentine_number_with_spaces(world: World) -> None:
    sent = genesys(world, "+54 9 11 2345-6780")
    assert see(world, (whatsapp("541123456780"), 1))[0].conversation_id == sent.conversation_id


class Shard:
    """An intake with its own memory. Each message is one update, read as the given person at the given second."""

    def __init__(self, world: World) -> None:
        self._world = world
        speech: Any = SimpleNamespace(
            parse=lambda payload: [self._events[payload["id"]]], fit=lambda message: [message]
        )
        self.intake = Intake(world.pool, {"whatsapp": speech, "genesys": speech}, 16, catalogues.say)
        self._events: dict[str, Message | Typing] = {}

    def take(self, *people: tuple[Person, float], dead: int = 0) -> list[str]:
        """The conversations that they went to."""
        bodies = [self.update(person, at) for person, at in people]
        made = list(self._events)[-len(people) :]
        taken = self.intake.take(bodies)
        assert len(taken.dead) == dead
        went = {row.message.source_id: row.conversation_id for of in taken.arrived for row in of.rows}
        return [went[one] for one in made if not dead or one in went]

    def update(self, person: Person, at: float, text: str = "Hello") -> bytes:
        """One message of the person, as web would publish it."""
        made = f"wamid.{next(IDS)}"
        self._events[made] = Message(made, person, T + at, text=text)
        line = self._world.line_ids[-1]
        return dump(Update("whatsapp", self._world.tenant_id, line, person.address, T + at, 0, {"id": made}))

    def types(self, address: str) -> list[tuple[str, int]]:
        """The conversation in which an agent types, and its home shard."""
        self._events["typing"] = Typing(Person(address))
        line = self._world.line_ids[-1]
        body = dump(Update("genesys", self._world.tenant_id, line, address, T, 0, {"id": "typing"}))
        return [(one.conversation_id, one.shard) for one in self.intake.take([body]).typed]


def test_what_clashes_with_another_contact_again_and_again_stops_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is of a contact's names that the look-up does not know of."""
    monkeypatch.setattr(aliases, "_addresses", lambda one: ())
    phone = number()
    shard = Shard(world)
    shard.take((whatsapp(phone), 0))
    assert len(shard.take((whatsapp(number()), 1), (Person(phone, previous=(phone,)), -10), dead=1)) == 1
    assert shard.take((whatsapp(phone), 2))


def test_an_item_in_the_middle_of_a_message_that_cannot_be_taken_is_buried_alone(world: World) -> None:
    """By the parser, or by PostgreSQL, which takes no such text; the others of the message are taken all the same."""
    shard = Shard(world)
    good = [shard.update(whatsapp(number()), at) for at in range(2)]
    broken = [b"{not an update", shard.update(Person("4917\x00"), 1)]
    taken = shard.intake.take([b"\n".join([good[0], *broken, good[1]]), b"\n".join(good)])
    assert {one.body for one in taken.dead} == set(broken)
    assert len({row.id for of in taken.arrived for row in of.rows}) == 2, "each once, though it came twice"


def test_the_reason_of_what_postgresql_does_not_take_holds_nothing_of_it(world: World) -> None:
    """PostgreSQL shows the whole row beside its sentence; the reason goes to the broker, and to whoever looks there."""
    shard = Shard(world)
    body = shard.update(whatsapp(number()), 1, text="my PIN is 1234")
    with refusing(world.pool, "strpos(content::text, 'my PIN is') = 0"):
        [dead] = shard.intake.take([body]).dead
    assert dead.reason == (
        'CheckViolation: new row for relation "message_tracking" violates check constraint "refusing" (23514)'
    )


@contextmanager
def refusing(pool: Pool, condition: str) -> Iterator[None]:
    """PostgreSQL takes only new messages that meet it."""
    with pool.transaction() as cursor:
        cursor.execute(f"ALTER TABLE message_tracking ADD CONSTRAINT refusing CHECK ({condition}) NOT VALID")
    try:
        yield
    finally:
        with pool.transaction() as cursor:
            cursor.execute("ALTER TABLE message_tracking DROP CONSTRAINT refusing")


def test_what_a_server_refuses_to_everybody_buries_nobody(world: World, postgres_server: Postgres) -> None:
    shard = Shard(world)
    bodies = [shard.update(whatsapp(number()), at) for at in range(5)]
    with read_only(postgres_server.url()), pytest.raises(DatabaseError):
        shard.intake.take(bodies)
    taken = shard.intake.take(bodies)
    assert (len(taken.arrived), taken.dead) == (5, [])


@pytest.mark.parametrize("ours", [MemoryError, OSError])
def test_what_is_the_matter_with_this_machine_buries_nobody(world: World, ours: type[Exception]) -> None:
    def out_of_it(_payload: object) -> None:
        raise ours

    shard = Shard(world)
    body = shard.update(whatsapp(number()), 0)
    speech: Any = SimpleNamespace(parse=out_of_it, fit=lambda message: [message])
    with pytest.raises(StoreError):
        Intake(world.pool, {"whatsapp": speech, "genesys": speech}, 16, catalogues.say).take([body])


def test_only_of_who_has_nothing_else_unfinished_the_rows_need_not_be_read(world: World) -> None:
    shard, busy, idle = Shard(world), whatsapp(number()), whatsapp(number())
    [conversation_id] = shard.take((busy, 0))
    taken = shard.intake.take([shard.update(one, at) for one, at in ((busy, 1), (idle, 1), (idle, 2))])
    assert {one.mapping.conversation_id == conversation_id: one.nothing_else for one in taken.arrived} == {
        True: False,
        False: True,
    }
    world.change("UPDATE message_tracking SET state = 'sent' WHERE conversation_id = %s::uuid", conversation_id)
    assert [one.nothing_else for one in shard.intake.take([shard.update(busy, 3)]).arrived] == [True]
    world.change("UPDATE message_tracking SET state = 'sent' WHERE conversation_id = %s::uuid", conversation_id)
    world.change(
        "UPDATE message_tracking SET report = 'failed' WHERE conversation_id = %s::uuid AND sort_time = "
        "(SELECT min(sort_time) FROM message_tracking WHERE conversation_id = %s::uuid)",
        conversation_id,
        conversation_id,
    )
    taken = shard.intake.take([shard.update(busy, 4)])
    assert [one.nothing_else for one in taken.arrived] == [False], "a delivery report is still to be told"


def test_what_one_shard_remembers_ends_when_another_hears_of_the_change(world: World) -> None:
    """The word of the change comes to the shard of the former number; the new one is another shard's."""
    old, new, ids = number(), number(), (user_id(), user_id())
    one, other = Shard(world), Shard(world)
    (known_as_old,) = one.take((whatsapp(old, ids[0]), 0))
    (stray,) = other.take((whatsapp(new, ids[1]), 101))
    assert stray != known_as_old
    assert one.take((whatsapp(new, ids[1], old, ids[0]), 100)) == [known_as_old]
    assert other.take((whatsapp(new, ids[1]), 102), (whatsapp(new, ids[1]), 103)) == [known_as_old] * 2
    assert other.take((whatsapp(new, ids[1]), 104)) == [known_as_old]


def test_nor_does_a_text_reach_whoever_had_the_number_before(world: World) -> None:
    phone, gone = number(), number()
    one, other = Shard(world), Shard(world)
    (mine,), (theirs,) = one.take((whatsapp(phone), 0)), other.take((whatsapp(gone), 1))
    one.take((whatsapp(gone, None, phone), 100))
    window = conversations.by_id(world.pool, theirs)
    assert other.take((whatsapp(gone), 101)) == [mine]
    assert conversations.by_id(world.pool, theirs) == window, "the other conversation has not seen it"


def test_nor_in_one_batch_with_the_change(world: World) -> None:
    phone, gone = number(), number()
    shard = Shard(world)
    mine, theirs = shard.take((whatsapp(phone), 0), (whatsapp(gone), 1))
    change = (whatsapp(gone, None, phone), 100)
    assert shard.take((whatsapp(gone), 50), change, (whatsapp(gone), 101)) == [theirs, mine, mine]
    assert shard.take((whatsapp(gone), 102)) == [mine]


def test_what_was_looked_up_while_the_number_changed_hands_is_not_remembered(world: World) -> None:
    """The look-up is over when the change commits; only the lock of the conversation is waited for."""
    phone, gone = number(), number()
    shard = Shard(world)
    mine, theirs = (see(world, (whatsapp(one), 0))[0].conversation_id for one in (phone, gone))
    line = (world.tenant_id, world.line_ids[-1])
    with world.pool.transaction() as cursor:
        change = SeenPerson(*line, whatsapp(gone, None, phone), T + 100, provider_time=T + 100)
        conversations.resolve(cursor, [change], 16)
        other = gevent.spawn(shard.take, (whatsapp(gone), 101))
        wait_until(_waits(world.pool, "transactionid"), message="the message to wait")
    assert other.get(timeout=PATIENCE) == [theirs], "it came at the same moment"
    assert shard.take((whatsapp(gone), 102)) == [mine]


def test_who_types_all_the_time_is_looked_up_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    contact, shard, asked = see(world, (whatsapp(number()), 0))[0], Shard(world), list[SeenPerson]()
    look_up = conversations.known

    def known_of(cursor: Any, seen: list[SeenPerson]) -> list[ConversationMapping | None]:
        asked.extend(seen)
        return look_up(cursor, seen)

    monkeypatch.setattr(conversations, "known", known_of)
    assert [shard.types(contact.genesys_address) for _ in range(3)] == [[(contact.conversation_id, contact.shard)]] * 3
    assert len(asked) == 1
    assert shard.types(number()) == [], "nobody gets a conversation because somebody types"


def test_a_daemon_remembers_so_many_and_no_more(world: World) -> None:
    contacts, line = known.KnownContacts(2), (world.tenant_id, world.line_ids[-1])
    seen = [SeenPerson(*line, whatsapp(number()), T) for _ in range(3)]
    for one in seen:
        contacts.remember(one, see(world, one)[0])
    assert [contacts.recall(one) is not None for one in seen] == [False, True, True]


def test_names_remembered_before_and_after_a_change_prove_nothing_together(world: World) -> None:
    contacts, line = known.KnownContacts(10), (world.tenant_id, world.line_ids[-1])
    both = SeenPerson(*line, whatsapp(number(), user_id()), T)
    mapping = see(world, both)[0]
    contacts.remember(both, mapping)
    assert contacts.recall(both) == mapping
    contacts.remember(SeenPerson(*line, whatsapp(both.person.wa_id), T), replace(mapping, names_version=1))
    assert contacts.recall(both) is None


def test_whoever_writes_all_the_time_is_asked_for_again_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(known, "time", SimpleNamespace(monotonic=lambda: now[0]))
    contacts, person = known.KnownContacts(10), whatsapp(number())
    seen = SeenPerson(world.tenant_id, world.line_ids[-1], person, T)
    mapping = see(world, seen)[0]
    for passed in (0.0, known.SECONDS - 1):
        now[0] = 1000.0 + passed
        contacts.remember(seen, mapping)
        assert contacts.recall(seen) is not None
    now[0] = 1000.0 + known.SECONDS
    assert contacts.recall(seen) is None


def test_the_number_of_one_with_the_user_id_of_another(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = see(world, (whatsapp(number()), 0), (whatsapp(None, user_id()), 1))
    for at in (2, 3):
        found = see(world, (whatsapp(one.wa_id, other.bsuid), at))[0]
        assert (found.conversation_id, found.bsuid) == (one.conversation_id, None)
    assert see(world, (whatsapp(None, other.bsuid), 4))[0].conversation_id == other.conversation_id
    kept = notices.listed(world.pool, world.tenant_id, world.line_ids[-1]).items
    assert [notice.kind for notice in kept] == ["identity_conflict"]
    assert kept[0].payload == {"ids": sorted([one.conversation_id, other.conversation_id])}
    said = capsys.readouterr()
    assert "identity_conflict" in said.out + said.err
    assert str(one.wa_id) not in said.out + said.err and str(other.bsuid) not in said.out + said.err


def test_all_user_ids_change_when_a_number_moves_to_another_portfolio(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    phone, first, second = number(), user_id(), user_id()
    known = see(world, (whatsapp(phone, first), 0))[0]
    moved = see(world, (whatsapp(phone, second), 1))[0]
    assert (moved.conversation_id, moved.bsuid) == (known.conversation_id, second)
    assert see(world, (whatsapp(None, second), 2))[0].conversation_id == known.conversation_id
    said = capsys.readouterr()
    assert "identity_conflict" in said.out + said.err and second not in said.out + said.err
    for at, bsuid in ((3, first), (4, second)):  # one pair is told once
        assert see(world, (whatsapp(phone, bsuid), at))[0].conversation_id == known.conversation_id
    (kept,) = notices.listed(world.pool, world.tenant_id, world.line_ids[-1]).items
    assert kept.kind == "identity_conflict"
    assert kept.payload == {"ids": [known.conversation_id], "user_ids": sorted([first, second])}
    see(world, (whatsapp(phone, user_id()), 5))
    assert told(world) == ["identity_conflict"] * 2


@pytest.mark.parametrize(("dialled", "written"), [("5511987654321", "551187654321"), ("525512345678", "5215512345678")])
def test_numbers_that_are_written_in_two_ways(world: World, dialled: str, written: str) -> None:
    line = (world.tenant_id, world.line_ids[-1])
    sent = conversations.find_or_create(world.pool, *line, Person(dialled, dialled), 16)
    answer = see(world, (whatsapp(written, user_id()), 1))[0]
    assert answer.conversation_id == sent.conversation_id
    assert answer.recipient.wa_id == written, "the answer goes to the number as it was received"
    again = conversations.find_or_create(world.pool, *line, Person(dialled, dialled), 16)
    assert (again.conversation_id, again.wa_id) == (sent.conversation_id, written)
    assert genesys(world, f"+{dialled}").conversation_id == sent.conversation_id


def test_written_first_and_sent_to_then(world: World) -> None:
    wrote = see(world, (whatsapp("541123456789"), 0))[0]
    person = Person("5491123456789", "5491123456789")
    sent = conversations.find_or_create(world.pool, world.tenant_id, world.line_ids[-1], person, 16)
    assert (sent.conversation_id, sent.wa_id) == (wrote.conversation_id, "541123456789")


def test_two_who_exist_under_both_spellings_stay_two(world: World) -> None:
    """As an older version left them."""
    short, long = see(world, (whatsapp("551187654321"), 0))[0], number()
    other = see(world, (whatsapp(long), 1))[0]
    world.change(
        "UPDATE contact_aliases SET conversation_id = %s::uuid WHERE alias = '5511987654321' AND line_id = %s::uuid",
        other.conversation_id, world.line_ids[-1],
    )  # fmt: skip
    assert see(world, (whatsapp("551187654321"), 2))[0].conversation_id == short.conversation_id
    assert see(world, (whatsapp("5511987654321"), 3))[0].conversation_id == other.conversation_id


def test_who_somebody_is_can_be_asked_without_a_trace(world: World) -> None:
    phone = number()
    known = see(world, (whatsapp(phone), 0))[0]
    line = (world.tenant_id, world.line_ids[-1])
    with world.pool.transaction() as cursor:
        asked = [SeenPerson(*line, Person(name), by="genesys") for name in (phone, f"+{phone}", number())]
        found = conversations.known(cursor, asked)
    assert [one and one.conversation_id for one in found] == [known.conversation_id, known.conversation_id, None]


@pytest.mark.parametrize("names", ["phone", "both"])
def test_whoever_is_new_in_two_places_at_once_is_one(world: World, names: str) -> None:
    """The second one begins while the first one has not committed, and knows only the user id."""
    phone, bsuid = number(), user_id()
    first = whatsapp(phone, bsuid if names == "both" else None)
    second = whatsapp(*((None, bsuid) if names == "both" else (phone, None)))
    line = (world.tenant_id, world.line_ids[-1])
    with world.pool.transaction() as cursor:
        made = conversations.resolve(cursor, [SeenPerson(*line, first, provider_time=T)], 16)[0]
        other = gevent.spawn(see, world, (second, 1))
        wait_until(_waits(world.pool, "advisory"), message="the second one to wait")
    found = other.get(timeout=PATIENCE)[0]
    assert found.conversation_id == made.conversation_id


def _waits(pool: Pool, lock: str) -> Callable[[], bool]:
    def waits() -> bool:
        with pool.transaction() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = %s AND NOT granted", (lock,))
            return bool(cursor.fetchone()[0])

    return waits
