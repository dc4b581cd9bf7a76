"""A TCP connection's way to a server, which can be cut, held up, slow, or answer in the server's place."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gevent
from gevent.event import Event
from gevent.server import StreamServer

from demo.stack.ports import HOST, free_port

PIECE = 65_536
AT_ONCE = struct.pack("ii", 1, 0)
"""Closed by a reset, as by a firewall that forgot the connection."""


@dataclass(frozen=True)
class Slowness:
    """Each piece waits `seconds`, and as long as it takes at `bytes_per_second`."""

    seconds: float = 0.0
    bytes_per_second: float = float("inf")


class Wire:
    """Listens on `port` and hands on to `target`. All its trouble is a context: it is over when the context ends."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._connections: set[socket.socket] = set()
        self._passing = Event()
        self._slowness = Slowness()
        self._reply: bytes | None = None
        self._server: StreamServer | None = None

    def start(self) -> None:
        self._passing.set()
        self._server = StreamServer((HOST, self.port), self._accepted, backlog=256)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._reset_all()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """What is connected is reset, who connects is refused."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Connections stay and carry nothing: a network that swallows packets."""
        self._passing.clear()
        try:
            yield
        finally:
            self._passing.set()

    @contextmanager
    def slow(self, slowness: Slowness) -> Iterator[None]:
        self._slowness = slowness
        try:
            yield
        finally:
            self._slowness = Slowness()

    @contextmanager
    def answering(self, reply: bytes) -> Iterator[None]:
        """Whatever is asked is answered with these bytes, and the connection closed."""
        self._reply = reply
        self._reset_all()
        try:
            yield
        finally:
            self._reply = None

    def _accepted(self, client: socket.socket, _: object) -> None:
        if self._reply is not None:
            self._answer(client, self._reply)
            return
        try:
            server = socket.create_connection((HOST, self._target), timeout=10)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        pair = (client, server)
        for one in pair:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.update(pair)
        gevent.joinall([gevent.spawn(self._pump, client, server), gevent.spawn(self._pump, server, client)])
        self._connections.difference_update(pair)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Until one side ends; then both do, as far as what they still hold is read."""
        try:
            while piece := source.recv(PIECE):
                self._passing.wait()
                gevent.sleep(self._slowness.seconds + len(piece) / self._slowness.bytes_per_second)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:  # somebody hung up, which is what the other side is to see
            _reset(source)
            _reset(sink)

    @staticmethod
    def _answer(client: socket.socket, reply: bytes) -> None:
        try:
            client.recv(PIECE)
            client.sendall(reply)
            client.close()
        except OSError:  # nobody waits for it
            _reset(client)

    def _reset_all(self) -> None:
        for one in list(self._connections):
            _reset(one)
        self._connections.clear()


def _reset(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    except OSError:  # it is closed already
        return
    connection.close()
