"""Real servers on loopback that behave and misbehave byte by byte."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gevent
import orjson
from gevent.server import StreamServer

HEAD = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nContent-Type: application/json\r\n%s\r\n"


@dataclass
class Asked:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Served:
    """A running server: where it is, what it was asked, on how many connections."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    sockets: list[socket.socket] = field(default_factory=list)


Handler = Callable[[Served, socket.socket, Asked], bool]
"""Answers one request; False ends the connection."""


@contextmanager
def serving(handler: Handler) -> Iterator[Served]:
    """Serve on a free port until the block ends."""
    served = Served()

    def connected(sock: socket.socket, _: Any) -> None:
        served.connections += 1
        served.sockets.append(sock)
        try:
            while (asked := read_request(sock)) is not None:
                served.asked.append(asked)
                if not handler(served, sock, asked):
                    return
        except OSError:
            pass
        finally:
            sock.close()

    server = StreamServer(("127.0.0.1", 0), connected)
    server.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.stop()


def read_request(sock: socket.socket) -> Asked | None:
    """The next request, None at the end of the stream."""
    data = b""
    while b"\r\n\r\n" not in data:
        block = sock.recv(65536)
        if not block:
            return None
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(65536)
    return Asked(line, headers, body)


def answer(sock: socket.socket, data: Any, status: int = 200, **headers: str) -> bool:
    """A complete answer; the connection stays."""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()).encode()
    sock.sendall(HEAD % (status, len(body), more) + body)
    return True


def reset(sock: socket.socket) -> bool:
    """Close with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def drip(sock: socket.socket, data: bytes, pause: float = 0.02) -> None:
    """Send byte by byte, each soon enough to keep a naive time-out quiet."""
    for place in range(len(data)):
        sock.sendall(data[place : place + 1])
        gevent.sleep(pause)


def routes(table: dict[str, Any]) -> Handler:
    """Answers by "METHOD /path" (a pattern): a value is 200, a pair has its status, a function does as it likes."""

    def handle(served: Served, sock: socket.socket, asked: Asked) -> bool:
        called = asked.line.rsplit(" ", 1)[0].partition("?")[0]
        for pattern, given in table.items():
            if re.fullmatch(pattern, called):
                if callable(given):
                    return bool(given(served, sock, asked))
                status, data = given if isinstance(given, tuple) else (200, given)
                return answer(sock, data, status)
        return answer(sock, b"not here", 404)

    return handle


def half(data: bytes) -> Handler:
    def handle(_: Served, sock: socket.socket, __: Asked) -> bool:
        sock.sendall(data)
        return False

    return handle
