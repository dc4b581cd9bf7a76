"""What one webhook may cost a worker, and one signer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import gevent
import pytest
from gevent.event import Event
from gevent.monkey import get_original

from tests.waiting import PATIENCE
from web.webhooks import budget
from web.webhooks.budget import (
    LARGE_BYTES,
    MOST_BYTES,
    MOST_UPDATES,
    SIGNER_BYTES,
    SLICE_SECONDS,
    Budget,
    LargeBodies,
    OverBudget,
    OverShareError,
)


def test_so_many_items_are_handed_out_and_no_more() -> None:
    found = list[int]()
    with pytest.raises(OverBudget):
        found.extend(Budget().counted(range(MOST_UPDATES + 1)))
    assert list(Budget().counted(range(MOST_UPDATES))) == list(range(MOST_UPDATES))


def test_others_get_their_turn_while_a_large_body_is_worked_on() -> None:
    turns, done = list[int](), [0]
    other = gevent.spawn(lambda: turns.append(done[0]))

    def work() -> Iterator[int]:
        for n in range(4):
            done[0] = n
            end = time.thread_time() + SLICE_SECONDS
            while time.thread_time() < end:
                pass
            yield n

    assert list(Budget().in_slices(work())) == [0, 1, 2, 3]
    other.join(PATIENCE)
    assert turns == [0]


def test_a_worker_that_is_kept_from_working_has_not_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine whose processors others use: no body is refused for it."""
    monkeypatch.setattr(budget, "MOST_SECONDS", 0.05)

    def kept_waiting() -> Iterator[int]:
        for n in range(3):
            get_original("time", "sleep")(0.1)
            yield n

    assert list(Budget().in_slices(kept_waiting())) == [0, 1, 2]


def test_work_on_one_body_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MOST_SECONDS", 0.0)
    monkeypatch.setattr(budget, "SLICE_SECONDS", 0.0)
    with pytest.raises(OverBudget):
        list(Budget().in_slices(range(3)))


def test_large_bodies_find_room_only_while_there_is_some() -> None:
    room = LargeBodies(most=2 * MOST_BYTES)
    with ExitStack() as held:
        for size in (MOST_BYTES, None, LARGE_BYTES):
            held.enter_context(room.reading(size))
        with pytest.raises(OverShareError):
            held.enter_context(room.reading(LARGE_BYTES + 1))
    with room.reading(None), room.reading(None):
        pass


def test_large_bodies_of_one_signer_go_one_by_one_and_others_do_not_wait() -> None:
    room, order, gate = LargeBodies(waiting=1), list[str](), Event()

    def take(owner: str, size: int, gate: Event | None = None) -> None:
        with room.working(owner, size):
            order.append(owner)
            if gate:
                gate.wait(PATIENCE)

    first = gevent.spawn(take, "a", MOST_BYTES, gate)
    second = gevent.spawn(take, "a", MOST_BYTES)
    gevent.idle()
    with pytest.raises(OverShareError):
        take("a", MOST_BYTES)
    take("a", 1)
    take("b", MOST_BYTES)
    assert order == ["a", "a", "b"]
    gate.set()
    gevent.joinall([first, second], timeout=PATIENCE, raise_error=True)
    assert order == ["a", "a", "b", "a"]


def test_one_signer_may_send_so_much_while_others_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "SIGNER_BYTES_PER_SECOND", 0)
    room = LargeBodies()
    room.spend("b", 1)
    for _ in range(SIGNER_BYTES // MOST_BYTES + 1):
        room.spend("a", MOST_BYTES)
    with pytest.raises(OverShareError):
        room.spend("a", 1)
    room.spend("b", MOST_BYTES)
    monkeypatch.setattr(budget, "SIGNER_BYTES_PER_SECOND", 1e12)
    room.spend("a", 1)


def test_who_sends_alone_is_not_held_back_and_has_no_debt_when_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    room = LargeBodies()
    for _ in range(100):
        room.spend("a", MOST_BYTES)
    room.spend("b", 1)
    with pytest.raises(OverShareError):
        room.spend("a", 1)
    monkeypatch.setattr(budget, "SIGNER_BYTES_PER_SECOND", MOST_BYTES * 1e6)
    room.spend("a", 1)
    monkeypatch.setattr(budget, "OTHERS_SECONDS", 0)
    room.spend("a", 2 * SIGNER_BYTES)
    room.spend("a", 1)


def test_only_the_signers_of_late_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "REMEMBERED", 2)
    room = LargeBodies()
    for owner in ("a", "b", "c"):
        room.spend(owner, 1)
    assert list(room._spent) == ["b", "c"]
