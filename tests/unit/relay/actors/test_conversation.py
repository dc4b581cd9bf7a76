"""The ConversationActor performs what its conversation wants: who is told what, and what PostgreSQL's trouble does.

Its neighbours only listen, and what it asks PostgreSQL for is said by the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from db.mailbox.unfinished import UnfinishedRows
from relay.actors.conversation import ConversationActor
from relay.core.conversation.events import Alarm, Arrived, RowChanged, Wake
from relay.core.errors import StoreError
from relay.core.mailbox import Row
from relay.core.messages import Message, Person
from relay.runtime.actor import Ping, Stop
from relay.runtime.commands import AskTurn, Dispatch, Outcome, PassTurn, SendReport, Turn
from tests.unit.relay.actors.listening import Listener
from tests.unit.relay.core.conversation.rows import MAPPING, NO_HOLD, NOW, PLACE, row, row_status
from tests.waiting import PATIENCE, wait_until


class World:
    """`rows`: what PostgreSQL says is unfinished; None: it is away."""

    def __init__(self) -> None:
        self.rows: list[Row] | None = []
        self.now = NOW
        self.alarms: list[Alarm] = []
        self.left: list[str] = []
        self.heard: dict[str, list[Any]] = {name: [] for name in ("tenant", "journal", "channel", "sender")}
        self.refs = {name: Listener.start(heard) for name, heard in self.heard.items()}
        timers = SimpleNamespace(after=lambda _seconds, _ref, command: self.alarms.append(command))
        tenant = self.refs["tenant"]
        self.parts: Any = SimpleNamespace(
            pool=None,
            timers=timers,
            journal=self.refs["journal"],
            tenant=lambda _: tenant,
            rows=SimpleNamespace(read=self.read),
        )
        self.actor = ConversationActor.start(self.parts, "c", PLACE, NO_HOLD, self.left.append)

    def read(self, *_: Any) -> UnfinishedRows:
        if self.rows is None:
            raise StoreError("PostgreSQL is away")
        return UnfinishedRows(MAPPING, {"inbound": [], "outbound": self.rows}, [])

    def turn(self, lane: Any = "outbound") -> Turn:
        return Turn(lane, self.refs["sender"], self.refs["channel"], {})

    def wait(self) -> None:
        """Time passes, and the alarms go off."""
        self.actor.ask(Ping(), timeout=PATIENCE)
        self.now += 60.0
        for alarm in self.alarms:
            self.actor.tell(alarm)

    def told(self, name: str) -> list[Any]:
        """What a neighbour has heard by now, in order."""
        if self.actor.is_alive():
            self.actor.ask(Ping(), timeout=PATIENCE)
        if self.refs[name].is_alive():
            self.refs[name].ask(Ping(), timeout=PATIENCE)
        return self.heard[name]

    def stop(self) -> None:
        for ref in (self.actor, *self.refs.values()):
            ref.stop()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World()
    monkeypatch.setattr("relay.actors.conversation.even_clock", SimpleNamespace(now=lambda: world.now))
    monkeypatch.setattr("relay.actors.conversation.time", SimpleNamespace(monotonic=lambda: world.now))
    yield world
    world.stop()


def test_a_message_is_handed_to_the_sender_that_its_turn_lends(world: World) -> None:
    world.actor.tell(Wake("c"))
    world.actor.tell(Arrived(MAPPING, [row("a")]))
    assert world.told("tenant") == [AskTurn("l", world.actor, "outbound")]
    world.actor.tell(world.turn())
    [dispatch] = world.told("sender")
    assert isinstance(dispatch, Dispatch) and dispatch.conversation == world.actor
    assert (dispatch.job.message_id, dispatch.job.attempt) == ("a", 1)
    world.actor.tell(world.turn())
    assert world.told("channel") == [PassTurn(world.refs["sender"])]


def test_a_sender_that_has_gone_is_no_reason_to_wait_for_its_word(world: World) -> None:
    world.rows = [row("a")]
    world.actor.tell(Wake("c"))
    world.refs["sender"].stop()
    world.actor.tell(world.turn())
    world.wait()
    assert len(world.told("tenant")) == 2, "its row was read, and a turn asked for again"


def test_a_report_goes_to_a_sender_and_else_the_turn_goes_back(world: World) -> None:
    world.actor.tell(Wake("c"))
    world.actor.tell(RowChanged(row_status("a", "delivered", "delivered")))
    world.actor.tell(world.turn("report"))
    [told] = world.told("sender")
    assert isinstance(told, SendReport) and told.report.status == "delivered"
    world.actor.tell(world.turn("report"))
    assert world.told("channel") == [PassTurn(world.refs["sender"])]


def test_while_postgresql_is_away_the_rows_are_read_again_later(world: World) -> None:
    world.rows = None
    world.actor.tell(Wake("c"))
    assert world.told("tenant") == []
    world.rows = [row("a")]
    world.wait()
    assert world.told("tenant") == [AskTurn("l", world.actor, "outbound")]


def test_a_turn_goes_back_when_postgresql_goes_away_before_it_was_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise StoreError("PostgreSQL is away")

    monkeypatch.setattr("db.mailbox.part_reports.may_tell", away)
    world.actor.tell(Wake("c"))
    part = row_status("a", "failed", "failed", part=1, parts=2)
    world.actor.tell(RowChanged(part))
    world.actor.tell(world.turn("report"))
    assert world.told("channel") == [PassTurn(world.refs["sender"])]
    assert world.told("sender") == []


def test_a_turn_goes_back_when_an_end_word_cannot_be_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise StoreError("PostgreSQL is away")

    monkeypatch.setattr("db.mailbox.end_requests.ask", away)
    world.actor.tell(Wake("c"))
    word = Message("source-a", Person("491701"), NOW, text="Stop chat")
    world.actor.tell(Arrived(MAPPING, [row("a", "inbound", source=word)]))
    world.actor.tell(Turn("inbound", world.refs["sender"], world.refs["channel"], {"end_words": ["stop chat"]}))
    assert world.told("channel") == [PassTurn(world.refs["sender"])]
    assert world.told("sender") == []


def test_a_turn_goes_back_at_once_whatever_fails_before_it_was_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a conversation that fails each time would soon hold all senders of its line."""

    def odd(*_: Any, **__: Any) -> Any:
        raise ValueError("odd")

    monkeypatch.setattr("relay.core.conversation.conversation.hindrance", odd)
    world.rows = [row("a")]
    world.actor.tell(Wake("c"))
    world.actor.tell(world.turn())
    assert world.told("channel") == [PassTurn(world.refs["sender"])]
    assert world.told("sender") == []


def test_what_ends_without_a_call_is_written_by_the_journal(world: World) -> None:
    world.rows = [row("a", state="unknown", unknown_until=NOW - 1)]
    world.actor.tell(Wake("c"))
    turn = Turn("outbound", world.refs["sender"], world.refs["channel"], {"unknown_outcome": "give_up"})
    world.actor.tell(turn)
    [outcome] = world.told("journal")
    assert isinstance(outcome, Outcome) and outcome.verdict is not None and outcome.attempt is None
    assert (outcome.message_id, outcome.verdict.state) == ("a", "dead")
    assert world.told("channel") == [PassTurn(world.refs["sender"])]


def test_after_something_unforeseen_it_forgets_and_reads_its_rows(world: World) -> None:
    world.actor.tell(Wake("c"))
    assert world.told("tenant") == []
    broken: Any = Message("s", Person("x"), NOW, media="no file at all")  # type: ignore[arg-type]
    world.rows = [row("a")]
    world.actor.tell(Arrived(MAPPING, [row("broken", source=broken)]))
    assert world.told("tenant") == []
    world.wait()
    assert world.told("tenant") == [AskTurn("l", world.actor, "outbound")]


def test_who_stops_leaves_the_directory_and_lets_go_of_what_it_knew(world: World) -> None:
    world.actor.tell(Wake("c"))
    world.actor.tell(Stop())
    wait_until(lambda: not world.actor.is_alive(), message="it to end")
    assert world.left == ["c"]
