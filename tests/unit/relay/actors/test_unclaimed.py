"""How the calls for reports and signals end, with a channel that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from relay.actors.unclaimed import UnclaimedCalls
from relay.channels.base import Account
from relay.core.conversation.events import PresenceEnded, ReportEnded
from relay.core.errors import CannotCarry, SendError
from relay.core.messages import Recipient, Report, Signal
from relay.core.retry import LONGEST_WAIT
from relay.runtime.actor import Ping
from relay.runtime.commands import ReportOutcome, SendReport, ShowPresence
from relay.runtime.side import Side
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE

TAKEN = None
REFUSED = SendError("refused", "400", "no such message")
AWAY = SendError("unknown", "503", "try again")
THROTTLED = SendError("throttled", "429", "slower", retry_after=7.0)
NO_WORDS = CannotCarry("unsupported", "it has no such receipt")


class World:
    def __init__(self) -> None:
        self.ends: Exception | None = TAKEN
        self._heard: list[Any] = []
        self.listener = Listener.start(self._heard)
        limits, lease = SimpleNamespace(request=10.0), SimpleNamespace(check=lambda: None)
        parts: Any = SimpleNamespace(limits=limits, lease=lease, journal=self.listener)
        channel: Any = SimpleNamespace(
            render_report=lambda *_: None, render_signal=lambda *_: None, send=self._send, cause=lambda _: "server"
        )
        self.calls = UnclaimedCalls(parts, Side("genesys", channel, Account("t", "l", "i", {})))
        report = Report("m", "genesys-id", "failed", 1.0)
        self.report = SendReport(report, self.listener, Recipient("c"))
        self.signal = ShowPresence(Signal("read", "wamid.1"), self.listener)

    def _send(self, *_: Any, before_send: Callable[[], None], **__: Any) -> None:
        before_send()
        if self.ends is not None:
            raise self.ends

    @property
    def heard(self) -> list[Any]:
        self.listener.ask(Ping(), timeout=PATIENCE)
        return self._heard


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.listener.stop()


@pytest.mark.parametrize("ends", [TAKEN, REFUSED, NO_WORDS])
def test_a_report_that_is_dealt_with_is_written_down(world: World, ends: Exception | None) -> None:
    world.ends = ends
    assert world.calls.call(world.report) is ends
    [outcome] = world.heard
    assert isinstance(outcome, ReportOutcome)
    assert (outcome.message_id, outcome.status, outcome.given_up) == ("m", "failed", ends and str(ends))


@pytest.mark.parametrize(("ends", "wait"), [(AWAY, 1.0), (THROTTLED, 7.0)])
def test_a_report_in_trouble_is_tried_again(world: World, ends: SendError, wait: float) -> None:
    world.ends = ends
    assert world.calls.call(world.report) is ends
    assert world.heard == [ReportEnded("m", "failed", wait)]


@pytest.mark.parametrize(("ends", "again"), [(TAKEN, False), (REFUSED, False), (NO_WORDS, False), (AWAY, True)])
def test_a_signal_is_repeated_only_where_that_may_help(world: World, ends: Exception | None, again: bool) -> None:
    world.ends = ends
    assert world.calls.call(world.signal) is ends
    assert world.heard == [PresenceEnded(again)]


def test_the_conversation_hears_of_what_nobody_foresaw(world: World) -> None:
    world.ends = RuntimeError("a bug")
    for command in (world.report, world.signal):
        with pytest.raises(RuntimeError):
            world.calls.call(command)
        world.calls.give_up()
        world.calls.give_up()
    assert world.heard == [ReportEnded("m", "failed", LONGEST_WAIT), PresenceEnded(again=False)]
