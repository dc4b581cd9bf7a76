"""One write per burst: what py-amqp packs, gathered before it reaches the socket."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import amqp
import gevent
import pytest
from gevent.event import Event

from relay.broker.link import GATHERED_BYTES, Outlet
from tests.waiting import PATIENCE

FRAME_MAX = 131_072
HEARTBEAT = (8, 0, None, None, None)


class Socket:
    """Takes what py-amqp's transport would write; while it is `full`, whoever writes waits."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.room = Event()
        self.room.set()

    def write(self, piece: bytes | memoryview) -> None:
        self.pieces.append(bytes(piece))
        self.room.wait()


@pytest.fixture
def socket() -> Socket:
    return Socket()


@pytest.fixture
def outlet(socket: Socket) -> Outlet:
    return Outlet(SimpleNamespace(frame_max=FRAME_MAX, bytes_sent=0), socket)


def publish(outlet: Outlet, body: bytes) -> None:
    message: Any = amqp.Message(body, delivery_mode=2)
    outlet(1, 1, (60, 40), b"", message)


def test_a_burst_is_one_piece_with_the_bytes_of_single_writes(outlet: Outlet, socket: Socket) -> None:
    bodies = [b"first", b"second" * 1000, b"third"]
    for body in bodies:
        publish(outlet, body)
    one_by_one, socket.pieces = b"".join(socket.pieces), []
    with outlet.burst():
        for body in bodies:
            publish(outlet, body)
        assert socket.pieces == []
    assert socket.pieces == [one_by_one]


def test_after_a_burst_frames_leave_at_once_again(outlet: Outlet, socket: Socket) -> None:
    with outlet.burst():
        publish(outlet, b"x")
    publish(outlet, b"heartbeat")
    assert len(socket.pieces) == 2


def test_large_bodies_are_not_all_gathered(outlet: Outlet, socket: Socket) -> None:
    with outlet.burst():
        publish(outlet, b"x" * 4 * 1024 * 1024)
    assert max(map(len, socket.pieces)) < GATHERED_BYTES + FRAME_MAX
    assert sum(map(len, socket.pieces)) > 4 * 1024 * 1024


def test_what_others_write_while_the_socket_is_full_stays_whole_and_comes_after(outlet: Outlet, socket: Socket) -> None:
    def burst() -> None:
        with outlet.burst():
            publish(outlet, b"a")
            publish(outlet, b"b")

    frames = ((burst,), (publish, outlet, b"c" * 2 * FRAME_MAX), (outlet, *HEARTBEAT))
    socket.room.clear()
    writing = [gevent.spawn(*frame) for frame in frames]
    gevent.sleep(0)
    assert len(socket.pieces) == 1
    socket.room.set()
    gevent.joinall(writing, raise_error=True, timeout=PATIENCE)
    undisturbed = Socket()
    alone = Outlet(SimpleNamespace(frame_max=FRAME_MAX, bytes_sent=0), undisturbed)
    for body in (b"a", b"b", b"c" * 2 * FRAME_MAX):
        publish(alone, body)
    alone(*HEARTBEAT)
    assert b"".join(socket.pieces) == b"".join(undisturbed.pieces)


def test_a_burst_that_fails_writes_nothing(outlet: Outlet, socket: Socket) -> None:
    def burst() -> None:
        with outlet.burst():
            publish(outlet, b"x")
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        burst()
    publish(outlet, b"after")
    assert [b"after" in piece for piece in socket.pieces] == [True]
