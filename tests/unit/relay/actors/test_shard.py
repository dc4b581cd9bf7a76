"""The shard's directory: who is in memory, who waits for room, and what a shard that is given up does no more."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from db.mailbox.sweep import UnfinishedMessage
from relay.actors import shard as shard_actor
from relay.actors.intake import TakenIn
from relay.actors.shard import BeginShard, FoundUnfinished, Opened, ShardActor
from relay.broker.envelopes import Delivery, Outgoing
from relay.broker.errors import BrokerError
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.events import Arrived, RoomWanted, Wake
from relay.core.conversation.hold import Holds, Pace
from relay.core.queues import DIRECTION, INBOUND, OUTBOUND
from relay.runtime.actor import Ping, RelayActor, Stop
from relay.runtime.context import Lease
from tests.waiting import PATIENCE, wait_until

LIMITS = SimpleNamespace(shards=1, request=10.0, reorder_window=0.25)


class House:
    """A shard with conversations that only listen; they leave when they are told to."""

    def __init__(self) -> None:
        self.heard: dict[str, list[Any]] = {}
        self.holds: dict[str, Holds] = {}
        self.refs: dict[str, Any] = {}
        self.closed: list[int] = []
        self.acked: list[Delivery] = []
        self.published: list[Outgoing] = []
        self.refusal: BrokerError | None = None
        self.depth = 0
        consumer = SimpleNamespace(
            close=self.closed.append, ack=lambda _, acked: self.acked.extend(acked), depth=lambda _: self.depth
        )
        channels = {"whatsapp": SimpleNamespace(cause=lambda _: None)}
        self.parts: Any = SimpleNamespace(
            limits=LIMITS, channels=channels, consumer=consumer, intake=None, pace=Pace(), lease=Lease("d"),
            publisher=SimpleNamespace(publish=self._publish), timers=SimpleNamespace(after=lambda *_: None),
        )  # fmt: skip
        self.ref = ShardActor.start(self.parts, 0, 1)

    def _publish(self, outgoing: list[Outgoing], _seconds: float) -> None:
        self.published += outgoing
        if self.refusal is not None:
            raise self.refusal

    def caught_up(self, name: str) -> bool:
        """As far as a conversation can see."""
        return all(self.holds[name]("l", direction).caught_up for direction in DIRECTION.values())

    def tell(self, command: Any) -> None:
        self.ref.tell(command)
        self.ref.ask(Ping(), timeout=PATIENCE)

    def arrive(self, *names: str, line: str = "l", nothing_else: bool = False) -> None:
        self.tell(TakenIn(arrived=[Arrived(mapping(one, line), [], nothing_else=nothing_else) for one in names]))

    def told(self, name: str) -> list[Any]:
        self.refs[name].ask(Ping(), timeout=PATIENCE)
        return self.heard[name]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(shard_actor, "LIVE_PER_LINE", 4)

    class Conversation(RelayActor):
        def __init__(self, _parts: Any, conversation_id: str, _place: Any, holds: Holds, leave: Any) -> None:
            super().__init__()
            self.id, self.leave = conversation_id, leave
            made.heard[conversation_id], made.holds[conversation_id] = [], holds
            made.refs[conversation_id] = self.actor_ref

        def handle(self, command: Any) -> None:
            made.heard[self.id].append(command)
            if isinstance(command, Stop):
                self.leave(self.id)
                self.stop()

    monkeypatch.setattr(shard_actor, "ConversationActor", Conversation)
    made = House()
    yield made
    for ref in (made.ref, *made.refs.values()):
        ref.stop(timeout=PATIENCE)


def mapping(name: str, line: str) -> ConversationMapping:
    return ConversationMapping(name, "t", line, "491701", 0, "491701", None, None, None, None)


def test_a_burst_of_contacts_makes_a_bounded_number_of_actors_and_a_neighbour_gets_in_at_once(house: House) -> None:
    house.arrive(*(f"busy {number}" for number in range(100)))
    assert len(house.refs) == 4
    house.arrive("calm", line="other")
    assert "calm" in house.refs
    assert [RoomWanted() in house.told(f"busy {number}") for number in range(4)] == [True] * 4
    assert RoomWanted() not in house.told("calm")


def test_who_waits_reads_its_rows_when_another_of_its_line_has_left(house: House) -> None:
    house.arrive(*(f"c{number}" for number in range(6)), nothing_else=True)
    house.refs["c0"].tell(Stop())
    wait_until(lambda: "c4" in house.refs, message="the next one")
    assert house.told("c4") == [Wake("c4"), RoomWanted()], "what had arrived is in PostgreSQL; another one still waits"
    house.refs["c1"].tell(Stop())
    wait_until(lambda: "c5" in house.refs, message="the last one")
    assert house.told("c5") == [Wake("c5")]
    assert not [one for one in house.told("c2") if isinstance(one, Wake)], (
        "nothing else was unfinished: nothing to read"
    )


def test_what_is_found_in_postgresql_waits_for_room_too(house: House) -> None:
    rows = [UnfinishedMessage((n,), f"m{n}", f"c{n % 8}", "l", 0, "received", "inbound", False) for n in range(16)]
    house.tell(FoundUnfinished(rows))
    assert sorted(house.refs) == ["c0", "c1", "c2", "c3"]
    assert house.told("c0")[:2] == [Wake("c0"), Wake("c0", (("m0", "inbound"), ("m8", "inbound")))]
    house.tell(FoundUnfinished(rows))
    assert len(house.refs) == 4


def test_a_shard_that_is_given_up_starts_nothing_more(house: House) -> None:
    house.arrive(*(f"c{number}" for number in range(6)))
    house.ref.tell(Stop())
    house.ref.actor_stopped.wait(PATIENCE)
    wait_until(lambda: not any(ref.is_alive() for ref in house.refs.values()), message="all to leave")
    assert (len(house.refs), house.closed) == (4, [0])


def test_a_shard_is_not_begun_while_the_journal_holds_the_ends_of_calls(house: House) -> None:
    """They would be taken for calls of which nobody knows the end, and made again."""
    later: list[Any] = []
    house.parts.journal_behind = True
    house.parts.timers = SimpleNamespace(after=lambda _seconds, _ref, command: later.append(command))
    house.tell(BeginShard())
    assert [type(one) for one in later] == [BeginShard]


def opened(house: House) -> ShardActor:
    """The actor itself, for what the consumer's greenlet tells it; its channel is open."""
    house.tell(Wake("c"))
    actor: ShardActor = house.ref._actor_weakref()  # type: ignore[assignment]
    actor._tell_opened(0, 7, 1000)
    wait_until(lambda: house.published, message="the marks to be published")
    return actor


def come(house: House, actor: ShardActor, outgoing: Outgoing, generation: int = 7) -> Delivery:
    delivery = Delivery(outgoing.exchange, b"", 1, 0, dict(outgoing.headers or {}), False, generation)
    actor._delivered(delivery)
    house.ref.ask(Ping(), timeout=PATIENCE)
    return delivery


def test_behind_what_is_in_the_queues_marks_are_put_and_acked_when_they_come(house: House) -> None:
    actor = opened(house)
    assert [(one.exchange, one.routing_key) for one in house.published] == [(INBOUND, "0"), (OUTBOUND, "0")]
    assert not house.caught_up("c")
    came = [come(house, actor, one) for one in house.published]
    assert house.caught_up("c")
    assert house.acked == came


def test_a_mark_that_an_earlier_owner_took_is_put_once_more_until_one_comes_back(house: House) -> None:
    """It was still consuming when the shard had gone over, and acked what is no mark of its own."""
    later: list[Any] = []
    house.parts.timers = SimpleNamespace(after=lambda seconds, _ref, command: later.append((seconds, command)))
    actor = opened(house)
    wait_until(lambda: later == [(shard_actor.MARK_COMES_SECONDS, Opened(7))], message="another look to be set")
    house.tell(Opened(7))
    wait_until(lambda: len(house.published) == 4, message="the marks to be put once more")
    for one in house.published[2:]:
        come(house, actor, one)
    assert house.caught_up("c")
    house.tell(Opened(7))
    gevent.idle()
    assert len(house.published) == 4, "they came back"


def test_a_mark_of_a_channel_that_is_gone_is_acked_and_says_nothing(house: House) -> None:
    actor = opened(house)
    for one in house.published:
        come(house, actor, one, generation=8)
    assert len(house.acked) == 2
    assert not house.caught_up("c")


def test_where_the_broker_takes_no_marks_an_empty_queue_has_caught_up(house: House) -> None:
    house.refusal, house.depth = BrokerError("no memory"), 1
    opened(house)
    house.ref.ask(Ping(), timeout=PATIENCE)
    assert not house.caught_up("c")
    house.depth = 0
    house.tell(Opened(7))
    wait_until(lambda: house.caught_up("c"), message="the queues to count as caught up")
