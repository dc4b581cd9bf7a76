"""Actors that share greenlets: one command at a time, in order, whoever waits; nothing is kept for those at rest."""

from __future__ import annotations

import gc
from typing import Any

import gevent
import greenlet
import pykka
import pytest
from gevent.event import Event

from relay.runtime.actor import Ping, at_work
from relay.runtime.pooled import KEPT_IDLE, PooledActor
from tests.waiting import PATIENCE, wait_until


class Waiter(PooledActor):
    """Notes what it begins and what it ends; in between it waits for an event where it is told one."""

    def __init__(self, done: list[Any]) -> None:
        super().__init__()
        self.done = done

    def handle(self, command: Any) -> None:
        name, event = command
        self.done.append(("begins", name))
        if event is not None:
            event.wait(PATIENCE)
        self.done.append(("ends", name))


def greenlets() -> int:
    gc.collect()
    return sum(isinstance(one, greenlet.greenlet) and not one.dead for one in gc.get_objects())


def test_one_command_after_the_other_in_the_order_of_their_coming() -> None:
    done = list[Any]()
    ref, go = Waiter.start(done), Event()
    ref.tell(("a", go))
    ref.tell(("b", None))
    wait_until(lambda: done, message="the first to begin")
    assert any("event.wait" in one.stack() for one in at_work()), "where it waits can be seen"
    ref.tell(("c", None))
    assert done == [("begins", "a")]
    go.set()
    ref.ask(Ping(), timeout=PATIENCE)
    assert done == [(what, name) for name in "abc" for what in ("begins", "ends")]
    ref.stop()


def test_as_many_may_wait_as_there_are_and_none_keeps_another_from_working() -> None:
    done = list[Any]()
    go, refs = Event(), [Waiter.start(done) for _ in range(3 * KEPT_IDLE)]
    for ref in refs:
        ref.tell(("waits", go))
    wait_until(lambda: len(done) == len(refs), message="all to begin")
    last = Waiter.start(done)
    last.tell(("goes", None))
    last.ask(Ping(), timeout=PATIENCE)
    go.set()
    for ref in refs:
        ref.ask(Ping(), timeout=PATIENCE)
    for ref in [*refs, last]:
        ref.stop()


def test_those_that_have_nothing_to_do_keep_no_greenlet() -> None:
    before, refs = greenlets(), [Waiter.start([]) for _ in range(10 * KEPT_IDLE)]
    for ref in refs:
        ref.tell(("once", None))
    for ref in refs:
        ref.ask(Ping(), timeout=PATIENCE)
    wait_until(lambda: greenlets() - before <= KEPT_IDLE + 1, message="the greenlets to end")
    for ref in refs:
        ref.stop()


def test_whoever_asks_one_that_has_been_told_to_stop_is_told_so() -> None:
    done = list[Any]()
    ref, go = Waiter.start(done), Event()
    ref.tell(("waits", go))
    wait_until(lambda: done, message="it to begin")
    ref.stop(block=False)
    late = gevent.spawn(ref.ask, Ping(), timeout=PATIENCE)
    gevent.sleep(0)
    go.set()
    with pytest.raises(pykka.ActorDeadError):
        late.get(timeout=PATIENCE)
    assert not ref.is_alive()
