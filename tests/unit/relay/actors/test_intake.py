"""The intake actor between its neighbours: what is acked and when, on which channel, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from gevent.event import Event

from db.errors import DatabaseError
from relay.actors import intake as intake_actor
from relay.actors.intake import MOST_UPDATES, ChannelDropped, IntakeActor, TakenIn
from relay.broker.envelopes import Delivery, Outgoing
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.events import Arrived
from relay.core.mailbox import RowStatus
from relay.core.queues import DEAD_LETTERS, INBOUND
from relay.intake.intake import Taken, UnusableUpdate
from relay.runtime.actor import Ping, tell
from relay.runtime.timers import Timers
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE, wait_until


def delivery(tag: int, shard: int = 0, line: str = "l", generation: int = 1, updates: int = 1) -> Delivery:
    body = b"\n".join(b"%d" % tag for _ in range(updates))
    return Delivery(INBOUND, body, tag, shard, {"lineId": line}, False, generation)


@dataclass
class Postgres:
    """In place of the transaction: commits when it is let, and fails as often as it is told to."""

    groups: list[list[bytes]] = field(default_factory=list)
    began: Event = field(default_factory=Event)
    open: Event = field(default_factory=Event)
    failures: int = 0
    refused: set[bytes] = field(default_factory=set)
    """Bodies with which a transaction fails, for a reason that may be theirs or not."""
    result: Taken = field(default_factory=Taken)

    def take(self, bodies: Sequence[bytes], _traces: Sequence[str | None]) -> Taken:
        self.groups.append(list(bodies))
        self.began.set()
        assert self.open.wait(PATIENCE)
        if self.failures:
            self.failures -= 1
            raise DatabaseError("PostgreSQL is away")
        if self.refused & {*bodies}:
            raise DatabaseError("a broken index", "internal", "XX002")
        return self.result


@dataclass
class House:
    """The intake and who stands around it: two shards of this daemon, and its hints to others."""

    postgres: Postgres = field(default_factory=Postgres)
    acked: list[tuple[int, list[Any]]] = field(default_factory=list)
    buried: list[Outgoing] = field(default_factory=list)
    told: dict[int, list[TakenIn]] = field(default_factory=lambda: {0: [], 1: []})
    hinted: list[str] = field(default_factory=list)
    reopened: list[tuple[int, int]] = field(default_factory=list)
    ref: Any = None

    def reopen(self, shard: int, prefetch: int) -> None:
        self.reopened.append((shard, prefetch))
        tell(self.ref, ChannelDropped(shard))

    def bring(self, *deliveries: Delivery) -> None:
        for one in deliveries:
            tell(self.ref, one)

    def ack(self, shard: int, deliveries: Sequence[Delivery]) -> None:
        self.acked.append((shard, [one.tag for one in deliveries]))

    def publish(self, letters: Sequence[Outgoing], _seconds: float) -> None:
        self.buried += letters

    def execute(self, _query: str, values: Sequence[str]) -> None:
        self.hinted += values

    @contextmanager
    def transaction(self) -> Iterator[House]:
        yield self

    def settled(self) -> None:
        self.ref.ask(Ping(), timeout=PATIENCE)


@pytest.fixture
def house() -> Iterator[House]:
    made, timers = House(), Timers()
    timers.start(lambda error: pytest.fail(f"the timers ended: {error}"))
    shards: dict[int, Any] = {number: Listener.start(heard) for number, heard in made.told.items()}
    parts: Any = SimpleNamespace(
        pool=made, consumer=made, publisher=made, timers=timers, shards=shards, limits=SimpleNamespace(shards=2)
    )
    made.ref = IntakeActor.start(parts, made.postgres)
    yield made
    made.postgres.open.set()
    for ref in (made.ref, *shards.values()):
        ref.stop(timeout=PATIENCE)
    timers.stop()


def test_nothing_is_acked_before_it_is_committed_and_then_each_on_its_own_channel(house: House) -> None:
    house.bring(delivery(1, shard=0), delivery(2, shard=1), delivery(3, shard=0))
    assert house.postgres.began.wait(PATIENCE)
    assert house.acked == []
    house.postgres.open.set()
    wait_until(lambda: sorted(house.acked) == [(0, [1, 3]), (1, [2])], message="the acks")
    wait_until(lambda: [len(heard) for heard in house.told.values()] == [1, 1], message="one word to each shard")
    assert [one.tag for one in house.told[0][0].deliveries] == [1, 3]


def test_what_comes_while_a_group_is_committed_makes_the_next_one(house: House) -> None:
    house.bring(delivery(0))
    assert house.postgres.began.wait(PATIENCE)
    house.bring(*(delivery(tag) for tag in range(1, 30)))
    house.postgres.open.set()
    wait_until(lambda: len(house.acked) == 2, message="two groups")
    assert [len(group) for group in house.postgres.groups] == [1, 29]


def test_a_flood_of_one_line_is_taken_in_bounded_groups_and_others_are_in_the_next(house: House) -> None:
    house.bring(delivery(0))
    assert house.postgres.began.wait(PATIENCE)
    house.bring(*(delivery(tag) for tag in range(1, 3 * MOST_UPDATES)), delivery(9999, line="calm"))
    house.postgres.open.set()
    wait_until(lambda: len(house.postgres.groups) >= 3, message="the groups")
    assert b"9999" in house.postgres.groups[1]
    assert max(len(group) for group in house.postgres.groups) <= MOST_UPDATES


def test_while_senders_want_the_loop_a_backlog_rests_and_who_has_none_is_taken_in_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rested = Event()
    monkeypatch.setattr("gevent.idle", lambda: rested.wait(PATIENCE))
    monkeypatch.setattr(intake_actor, "YIELD_SECONDS", PATIENCE)
    monkeypatch.setattr(intake_actor, "YIELD_FACTOR", 1e9)
    house.bring(delivery(0, line="busy"))
    assert house.postgres.began.wait(PATIENCE)
    house.bring(*(delivery(tag, line="busy") for tag in range(1, 2 * MOST_UPDATES + 1)))
    house.postgres.open.set()
    wait_until(lambda: len(house.postgres.groups) == 2, message="a group of the backlog")
    house.bring(delivery(8888, line="calm"))
    wait_until(lambda: house.postgres.groups[-1] == [b"8888"], message="the calm one's turn")
    house.settled()
    assert len(house.postgres.groups) == 3, "the backlog rests"
    rested.set()
    wait_until(lambda: sum(map(len, house.postgres.groups)) == 2 * MOST_UPDATES + 2, message="the rest of the backlog")


def test_while_postgresql_is_away_nothing_is_acked_and_then_all_of_it_is_taken_in_order(house: House) -> None:
    house.postgres.failures = 2
    house.postgres.open.set()
    house.bring(*(delivery(tag) for tag in range(5)))
    wait_until(lambda: house.acked, message="the acks")
    assert house.acked == [(0, [0, 1, 2, 3, 4])]
    assert house.postgres.groups[0] == house.postgres.groups[-1]


def test_what_alone_meets_trouble_is_kept_with_all_behind_it_and_others_go_on(house: House) -> None:
    """Nobody knows whether its data is at fault, so it is neither buried nor acked, and nothing overtakes it."""
    house.postgres.refused = {b"1"}
    house.postgres.open.set()
    house.bring(delivery(1, line="stuck"), delivery(2, line="stuck"))
    house.bring(*(delivery(tag, line="calm") for tag in range(10, 40)))
    wait_until(lambda: sum(len(tags) for _, tags in house.acked) == 30, message="the others")
    house.bring(delivery(40, line="calm"))
    wait_until(lambda: house.acked[-1] == (0, [40]), message="one more of the others")
    assert not house.buried
    house.postgres.refused.clear()
    wait_until(lambda: house.acked[-1] == (0, [2]), message="the rest, once it is mended")
    assert [tag for _, tags in house.acked for tag in tags if tag < 10] == [1, 2]


def test_trouble_that_everybody_meets_makes_nobody_a_suspect(house: House) -> None:
    house.postgres.failures = 4
    house.postgres.open.set()
    house.bring(delivery(1, line="one"), delivery(2, line="other"))
    wait_until(lambda: len(house.acked) == 2, message="the acks")
    assert house.postgres.groups[3] == house.postgres.groups[4] == [b"1"], "it is tried again, though it failed alone"


def test_what_a_lost_channel_had_brought_is_forgotten_and_what_its_successor_brings_is_taken(house: House) -> None:
    """Also while a group is committed that holds some of it: its acks bear the old channel's number."""
    house.bring(delivery(1, shard=1))
    assert house.postgres.began.wait(PATIENCE)
    house.bring(delivery(2, shard=1), delivery(3, shard=0))
    tell(house.ref, ChannelDropped(1))
    house.bring(delivery(1, shard=1, generation=2))
    house.postgres.open.set()
    wait_until(lambda: len(house.postgres.groups) == 2, message="the next group")
    house.settled()
    assert sorted(house.postgres.groups[1]) == [b"1", b"3"]
    assert {one.generation for news in house.told[1] for one in news.deliveries} == {1, 2}


def test_what_cannot_be_read_is_buried_before_it_is_acked(house: House) -> None:
    house.postgres.result = Taken(dead=[UnusableUpdate(b"odd", "ValueError: odd")])
    house.postgres.open.set()
    house.bring(delivery(1, updates=3))
    wait_until(lambda: house.acked, message="the ack")
    assert [(one.routing_key, one.body, one.headers) for one in house.buried] == [
        (DEAD_LETTERS, b"odd", {"reason": "ValueError: odd"})
    ]


def test_conversations_of_other_shards_here_are_told_and_those_of_other_daemons_hinted_at(house: House) -> None:
    def mapping(name: str, shard: int) -> ConversationMapping:
        return ConversationMapping(name, "t", "l", "491701", shard, "491701", None, None, None, None)

    here, elsewhere = Arrived(mapping("here", 1), []), Arrived(mapping("elsewhere", 7), [])
    row_status = RowStatus("m", "also elsewhere", 7, "sent", None, "s", 0.0, None, None)
    house.postgres.result = Taken(arrived=[here, elsewhere], row_statuses=[row_status])
    house.postgres.open.set()
    house.bring(delivery(1, shard=0))
    wait_until(lambda: house.told[1], message="the home shard's word")
    assert house.told[1][0].arrived == [here]
    wait_until(lambda: sorted(house.hinted) == ["7:also elsewhere", "7:elsewhere"], message="the hints")


def test_beyond_so_many_bytes_the_shard_that_holds_most_is_consumed_anew_with_fewer_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_actor, "MOST_HELD_BYTES", 4000)
    monkeypatch.setattr(intake_actor, "NARROW_SECONDS", 0.0)
    house.bring(delivery(0, shard=1))
    assert house.postgres.began.wait(PATIENCE)
    large = [replace(delivery(tag, shard=0), body=b"x" * 500) for tag in range(1, 11)]
    house.bring(delivery(11, shard=1), *large)
    house.postgres.open.set()
    wait_until(lambda: house.reopened, message="the shard to be narrowed")
    assert house.reopened[0] == (0, 2), "half of the bytes for two shards, by 500 each"
    wait_until(lambda: (1, [11]) in house.acked, message="the other shard's to be taken")
    wait_until(lambda: (0, intake_actor.PREFETCH) in house.reopened, message="the usual number, once nothing waits")
    assert not any(shard == 0 for shard, _ in house.acked), "the broker brings it again"


def test_after_a_failure_of_its_own_it_goes_on_with_what_it_has(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Callable[..., Any] = house.postgres.take
    broken = [True]

    def once(bodies: Sequence[bytes], traces: Sequence[str | None]) -> Taken:
        if broken.pop() if broken else False:
            raise KeyError("a bug")
        taken: Taken = whole(bodies, traces)
        return taken

    monkeypatch.setattr(house.postgres, "take", once)
    house.postgres.open.set()
    house.bring(delivery(1))
    wait_until(lambda: house.acked == [(0, [1])], message="the ack")
