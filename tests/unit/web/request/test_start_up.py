"""Web's preparation: nobody waits behind a server that is no business of theirs, nor long after one is back."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event

from relay.core.errors import StoreError
from tests.waiting import wait_until
from web.request.start_up import StartUp


class Server:
    """`asked` is set with the first try. It refuses until it is `there`; where it hangs, a try waits for that."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.asked, self.there = Event(), Event()
        self._hangs = hangs

    def answer(self) -> None:
        self.asked.set()
        if self._hangs:
            self.there.wait()
        if not self.there.is_set():
            raise StoreError("away")


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    hanging, refusing = Server(hangs=True), Server()
    yield hanging, refusing
    hanging.there.set()


def test_a_server_that_hangs_holds_up_no_other_step(servers: tuple[Server, Server]) -> None:
    hanging, refusing = servers
    start_up = StartUp({"one": hanging.answer, "other": refusing.answer}, beside={})
    starting = gevent.spawn(start_up.start)
    assert refusing.asked.wait(5), "it is tried while the other one hangs"
    hanging.there.set()
    starting.get(timeout=5)
    assert start_up.left == ["other"]
    refusing.there.set()
    wait_until(lambda: start_up.done, 5, "what was away to be tried again")
    start_up.stop()


def test_nobody_waits_for_what_is_seen_to_beside(servers: tuple[Server, Server]) -> None:
    hanging, ready = servers
    ready.there.set()
    start_up = StartUp({"needed": ready.answer}, beside={"files": hanging.answer})
    start_up.start()
    assert start_up.done
    assert hanging.asked.wait(5), "it is seen to all the same"
    start_up.stop()


def test_what_is_final_ends_the_start() -> None:
    def final() -> None:
        raise RuntimeError("another number of shards")

    with pytest.raises(RuntimeError, match="another number of shards"):
        StartUp({"shards": final}, beside={}).start()


def test_what_fails_beside_stops_nobody() -> None:
    tried = Event()

    def failing() -> None:
        tried.set()
        raise RuntimeError("no such thing as buckets")

    start_up = StartUp({}, beside={"files": failing})
    start_up.start()
    assert tried.wait(5)
    gevent.sleep(0)
    assert start_up.done and start_up.problem is None
    start_up.stop()
