"""The guard around every actor's handler, and the traps of Pykka it is there for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pykka
import pytest
from gevent import GreenletExit
from gevent.event import Event
from gevent.timeout import Timeout
from structlog.testing import capture_logs

import relay.actors
from relay.core.errors import StoreError
from relay.runtime.actor import Ping, RelayActor, tell
from relay.runtime.pooled import PooledActor
from relay.runtime.timers import Timers
from tests.waiting import PATIENCE


class Raiser(RelayActor):
    """Raises whatever it is told, and notes that it recovered."""

    def __init__(self) -> None:
        super().__init__()
        self.recovered = 0

    def handle(self, command: Any) -> None:
        if isinstance(command, BaseException):
            raise command
        if isinstance(command, Event):
            command.set()
        if isinstance(command, list):
            command.append((self.failures, self.recovered))

    def recover(self) -> None:
        self.recovered += 1


class PooledRaiser(Raiser, PooledActor):
    """The same without a greenlet of its own."""


@pytest.fixture(params=[Raiser, PooledRaiser], ids=["with its own greenlet", "pooled"])
def actors(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    culprit, bystander = request.param.start(), request.param.start()
    yield culprit, bystander
    for ref in (culprit, bystander):
        ref.stop()


@pytest.mark.parametrize("error", [ValueError("x"), Timeout(1), GreenletExit()], ids=lambda error: type(error).__name__)
def test_whatever_a_handler_raises_only_its_own_command_is_lost(actors: tuple[Any, Any], error: BaseException) -> None:
    culprit, bystander = actors
    done = Event()
    culprit.tell(error)
    culprit.tell(done)
    assert done.wait(PATIENCE), "what was told after the failure is still done"
    assert culprit.ask(Ping(), timeout=PATIENCE)
    assert bystander.ask(Ping(), timeout=PATIENCE)


def test_a_store_in_trouble_is_no_failure_of_the_actor_and_not_told_with_every_command(
    actors: tuple[Any, Any],
) -> None:
    """An outage of minutes would otherwise end a daemon whose actors only have to wait, and fill its log."""
    culprit, _ = actors
    counted: list[tuple[int, int]] = []
    with capture_logs() as logs:
        for _ in range(5):
            culprit.tell(StoreError("PostgreSQL is away"))
        culprit.tell(counted)
        assert culprit.ask(Ping(), timeout=PATIENCE)
    assert counted == [(0, 5)], "failures, recoveries"
    assert not [one for one in logs if one["log_level"] != "debug"]


def test_telling_an_actor_that_has_ended_is_no_error(actors: tuple[Any, Any]) -> None:
    culprit, _ = actors
    culprit.stop()
    assert not tell(culprit, Event())
    assert not tell(None, Event())


def test_no_actor_hides_a_part_of_pykkas_own() -> None:
    """An actor that defined `_stop` could never be stopped. Pykka's inbox and thread are replaced by the base alone."""
    own = {name for name in vars(pykka.Actor) | vars(pykka.ThreadingActor) if name.startswith("_")}
    for module in pkgutil.iter_modules(relay.actors.__path__, "relay.actors."):
        for name, kind in vars(importlib.import_module(module.name)).items():
            if isinstance(kind, type) and issubclass(kind, RelayActor) and kind.__module__ == module.name:
                hidden = {one for one in vars(kind) if one in own and not one.startswith("__") and one != "_abc_impl"}
                assert not hidden, f"{name} overrides {hidden}"


def test_alarms_go_off_in_the_order_of_their_times() -> None:
    heard: list[str] = []
    done = Event()

    class Listener(RelayActor):
        def handle(self, command: Any) -> None:
            heard.append(command)
            if command == "late":
                done.set()

    timers, ref = Timers(), Listener.start()
    timers.start(lambda error: pytest.fail(f"the timers ended: {error}"))
    try:
        timers.after(0.05, ref, "late")
        timers.after(0.0, ref, "soon")
        timers.after(0.02, ref, "middle")
        assert done.wait(PATIENCE)
    finally:
        timers.stop()
        ref.stop()
    assert heard == ["soon", "middle", "late"]
