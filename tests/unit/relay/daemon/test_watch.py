"""Who watches the daemon: a loop that stands still, an actor that does not end a command, one that fails or dies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from relay.daemon import watch
from relay.daemon.watch import ActorWatch, SoleActor
from relay.runtime import actor as runtime
from relay.runtime.actor import Ping, RelayActor
from tests.processes import ROOT
from tests.unit.relay.daemon.busy import SECRET
from tests.waiting import PATIENCE, wait_until


def run(how: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, log lines, and what it printed."""
    command = [sys.executable, "-m", "tests.unit.relay.daemon.busy", how]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
    return ended.returncode, [json.loads(line) for line in ended.stderr.splitlines() if line], ended.stdout


@pytest.mark.parametrize("how", ["busy", "busy logging"])
def test_a_loop_that_stands_still_is_named_and_ends_the_process_in_the_end(how: str) -> None:
    code, lines, _ = run(how)
    assert code == watch.STUCK_EXIT
    noticed, last = lines
    assert (noticed["event"], last["event"]) == ("event_loop_blocked", "relay_cannot_go_on")
    assert "stood still for 5 s" in last["reason"]
    for line in lines:
        assert (line["actor"], line["command"]) == ("Spinner", "Spin")
        assert "goes_round_and_round" in line["stack"]
        assert SECRET not in json.dumps(line)


def test_a_loop_that_goes_on_again_is_only_named() -> None:
    code, lines, printed = run("a while")
    assert (code, printed) == (0, "went on\n")
    assert [line["event"] for line in lines] == ["event_loop_blocked"]


class Hangs(RelayActor):
    """Ends a command when the event that it was told is set."""

    longest_seconds = 0.05

    def handle(self, command: Any) -> None:
        if isinstance(command, BaseException):
            raise command
        command.wait()


class VitalHangs(Hangs):
    vital = True


@pytest.fixture
def never() -> Iterator[Event]:
    """An event that is set at the end of the test."""
    event = Event()
    yield event
    event.set()


def look_until(watch: ActorWatch | SoleActor, met: Callable[[], bool]) -> None:
    def looked() -> bool:
        watch.look()
        return met()

    wait_until(looked, message="it to be noticed")


def stuck(name: str) -> float | None:
    return REGISTRY.get_sample_value("relay_actors_stuck", {"actor": name})


def test_an_actor_that_does_not_end_a_command_is_named_once_with_where_it_stands(never: Event) -> None:
    ref, told = Hangs.start(), list[BaseException]()
    actors = ActorWatch([], [], told.append)
    with capture_logs() as said:
        ref.tell(never)
        look_until(actors, lambda: stuck("Hangs") == 1)
        actors.look()
        [line] = said
        assert (line["event"], line["actor"], line["command"]) == ("actor_stuck", "Hangs", "Event")
        assert "command.wait()" in line["stack"]
        never.set()
        ref.ask(Ping(), timeout=PATIENCE)
        actors.look()
        assert [one["event"] for one in said] == ["actor_stuck", "actor_goes_on"]
    assert stuck("Hangs") == 0
    assert told == [], "the others go on"
    ref.stop()


def test_the_daemon_cannot_go_on_with_a_vital_actor_that_is_stuck(never: Event) -> None:
    ref, told = VitalHangs.start(), list[BaseException]()
    ref.tell(never)
    actors = ActorWatch([], [], told.append)
    look_until(actors, lambda: bool(told))
    assert "VitalHangs has not ended Event for" in str(told[0])
    never.set()
    ref.stop()


def test_the_daemon_cannot_go_on_with_a_vital_actor_that_only_fails() -> None:
    ref, other, told = VitalHangs.start(), Hangs.start(), list[BaseException]()
    actors = ActorWatch([], [], told.append)

    def fail(who: Any, times: int) -> None:
        for _ in range(times):
            who.tell(ValueError("x"))
        who.ask(Ping(), timeout=PATIENCE)
        actors.look()

    fail(ref, watch.MOST_FAILURES - 1)
    done = Event()
    done.set()
    ref.tell(done)
    fail(ref, watch.MOST_FAILURES - 1)
    fail(other, watch.MOST_FAILURES)
    assert told == [], "one success between them is enough, and without some it goes on anyhow"
    fail(ref, 1)
    assert "VitalHangs failed 20 times in a row" in str(told[0])
    for one in (ref, other):
        one.stop()
    assert not runtime.failing()


def test_what_must_not_end_ends_the_daemon() -> None:
    ref, told = Hangs.start(), list[BaseException]()
    actors = ActorWatch([ref], [], told.append)
    actors.look()
    assert told == []
    ref.stop()
    actors.look()
    assert str(told[0]) == "Hangs has ended"


class Dies(RelayActor):
    starts = 0

    def on_start(self) -> None:
        type(self).starts += 1


def test_what_dies_is_started_again_each_time_after_a_longer_pause() -> None:
    kept = SoleActor(Dies.start)
    wait_until(lambda: Dies.starts == 1, message="it to begin")
    with capture_logs() as said:
        for n in range(3):
            kept.ref.stop()
            kept.look()
            kept.look()
            look_until(kept, lambda n=n: Dies.starts == n + 2)  # type: ignore[misc]
    pauses = [one["again_in"] for one in said if one["event"] == "actor_died"]
    assert pauses == [0.25, 0.5, 1.0]
    kept.ref.stop()


def test_the_watch_looks_by_itself(never: Event) -> None:
    ref, told = VitalHangs.start(), list[BaseException]()
    ref.tell(never)
    actors = ActorWatch([], [], told.append)
    actors.start()
    wait_until(lambda: bool(told), message="it to be noticed")
    actors.stop()
    never.set()
    gevent.sleep(0)
    ref.stop()
