"""A channel's alarms and turns, with a real ChannelActor and conversations that only listen."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gevent.event import Event

from relay.actors import channel as channels
from relay.actors.channel import BESIDE_EVERY, ChannelActor
from relay.channels.base import Account
from relay.core.errors import SendError
from relay.runtime.actor import Ping
from relay.runtime.commands import AskTurn, CredentialsRefused, Freed, Tick, Turn
from relay.runtime.side import Side
from relay.stores.limits import Granted
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE


class Alarms:
    """Keeps the alarms, so that the test decides when they go off."""

    def __init__(self) -> None:
        self.pending = 0

    def after(self, _seconds: float, _ref: Any, _command: Any) -> None:
        self.pending += 1


@pytest.fixture
def heard() -> list[Any]:
    return []


@pytest.fixture
def world(heard: list[Any]) -> Iterator[SimpleNamespace]:
    alarms, granted = Alarms(), Event()
    granted.set()
    taken: list[str] = []

    def take(key: str, *_: Any) -> Granted:
        taken.append(key)
        return Granted(1, 0.0) if granted.is_set() else Granted(0, 1.0)

    bucket = SimpleNamespace(take=take, give_back=lambda *_: None, penalise=lambda key, _: taken.append(key))
    parts: Any = SimpleNamespace(
        timers=alarms,
        bucket=bucket,
        journal_behind=False,
        limits=SimpleNamespace(request=10.0, whatsapp_per_second=80.0, genesys_per_minute=300.0),
    )
    channel: Any = SimpleNamespace(name="genesys")
    side = Side("genesys", channel, Account("t", "l", "i", {"client_id": "c"}))
    listener = Listener.start(heard)
    actor = ChannelActor.start(parts, side, listener)
    yield SimpleNamespace(
        actor=actor, listener=listener, alarms=alarms, granted=granted, side=side, taken=taken, parts=parts
    )
    for ref in (actor, listener):
        ref.stop()


def settle(world: SimpleNamespace) -> None:
    for ref in (world.actor, world.listener):
        ref.ask(Ping(), timeout=PATIENCE)


def test_alarms_that_a_sooner_one_replaced_do_not_multiply(world: SimpleNamespace) -> None:
    world.granted.clear()
    world.actor.tell(AskTurn("l", world.listener, "inbound"))
    for _ in range(1000):
        world.actor.tell(Tick())
    settle(world)
    assert world.alarms.pending < 10


def test_reports_get_a_turn_while_messages_keep_coming(world: SimpleNamespace, heard: list[Any]) -> None:
    others = [Listener.start(heard) for _ in range(BESIDE_EVERY + 2)]
    world.actor.tell(AskTurn("l", world.listener, "report"))
    for other in others:
        world.actor.tell(AskTurn("l", other, "inbound"))
    settle(world)
    for other in others:
        other.ask(Ping(), timeout=PATIENCE)
        other.stop()
    assert "report" in [turn.lane for turn in heard if isinstance(turn, Turn)]


def test_health_is_told_once_after_a_start_and_whenever_it_changes(world: SimpleNamespace, heard: list[Any]) -> None:
    def end_a_call(error: Exception | None) -> None:
        world.side.breaker.mended()
        world.actor.tell(AskTurn("l", world.listener, "inbound"))
        settle(world)
        [turn] = [one for one in heard if isinstance(one, Turn)]
        heard.remove(turn)
        world.actor.tell(Freed(turn.sender, True, error))
        settle(world)

    end_a_call(None)
    end_a_call(None)
    end_a_call(SendError("credentials", "190", "the token has expired"))
    end_a_call(SendError("retry", "503", "try again"))
    end_a_call(None)
    told = [one.reason for one in heard if isinstance(one, CredentialsRefused)]
    assert told == [None, "190: the token has expired", None]


def test_nobody_uses_up_what_another_tenant_has_left_by_entering_its_client(
    world: SimpleNamespace, heard: list[Any]
) -> None:
    """Its id is no secret. Nor does a penalty, or a line's own lower rate, reach the client's owner."""
    for tenant in ("t", "somebody else"):
        world.actor.tell(Account(tenant, "l", "i", {"client_id": "c"}))
        world.actor.tell(AskTurn("l", world.listener, "inbound"))
        settle(world)
        [turn] = [one for one in heard if isinstance(one, Turn)]
        heard.remove(turn)
        world.actor.tell(Freed(turn.sender, True, SendError("throttled", "429", "too many", scope="line")))
        settle(world)
    assert len(set(world.taken)) == 2 and len(world.taken) == 4


def test_a_sender_that_may_be_waiting_for_the_journal_is_not_taken_back_before_that_has_caught_up(
    world: SimpleNamespace, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "OFFER_SECONDS", 0.0)
    world.parts.limits.request = 0.0
    world.parts.journal_behind = True
    world.actor.tell(AskTurn("l", world.listener, "inbound"))
    settle(world)
    [turn] = [one for one in heard if isinstance(one, Turn)]
    world.actor.tell(Tick())
    settle(world)
    assert turn.sender.ask(Ping(), timeout=PATIENCE)
    world.parts.journal_behind = False
    world.actor.tell(Tick())
    settle(world)
    assert turn.sender.actor_stopped.wait(PATIENCE)
