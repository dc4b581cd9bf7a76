"""A WebSocket to a provider, over a real server that behaves and misbehaves."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gevent.server import StreamServer
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, Pong, Request, TextMessage

from relay.channels.http.client import HttpTransport
from relay.channels.http.origins import TrustedOrigins, own_origins
from relay.channels.http.websocket import LONGEST_MESSAGE, WebSocket
from relay.core.errors import SendError
from tests.unit.relay.channels.accounts import Tokens
from tests.waiting import PATIENCE


@contextmanager
def connected(*said: Event, heard: list[Event] | None = None) -> Iterator[WebSocket]:
    """To a server that says this once it is connected, and notes what it hears."""

    def serve(sock: socket.socket, _: Any) -> None:
        server = WSConnection(ConnectionType.SERVER)
        for event in _events(sock, server):
            if isinstance(event, Request):
                sock.sendall(server.send(AcceptConnection()) + b"".join(map(server.send, said)))
            elif heard is not None:
                heard.append(event)

    with listening(serve) as url:
        link = opened(url)
        try:
            yield link
        finally:
            link.close()


def _events(sock: socket.socket, server: WSConnection) -> Iterator[Event]:
    while block := sock.recv(65536):
        server.receive_data(block)
        yield from server.events()


@contextmanager
def listening(serve: Callable[[socket.socket, Any], None]) -> Iterator[str]:
    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    try:
        yield f"ws://127.0.0.1:{server.server_port}/channels/one"
    finally:
        server.stop()


def opened(url: str, trust: TrustedOrigins | None = None) -> WebSocket:
    own = TrustedOrigins(own_origins(url.replace("ws://", "http://")))
    return HttpTransport(Tokens()).web_socket(url, trust or own, time.monotonic() + PATIENCE)


def soon() -> float:
    return time.monotonic() + PATIENCE


def test_messages_come_whole_and_in_order_and_pings_are_answered() -> None:
    heard: list[Event] = []
    said = [
        TextMessage(data="fi", message_finished=False), TextMessage(data="rst"), Ping(payload=b"there?"),
        TextMessage(data="second"),
    ]  # fmt: skip
    with connected(*said, heard=heard) as link:
        assert [link.receive(soon()), link.receive(soon())] == ["first", "second"]
        link.send("hello")
        assert link.receive(time.monotonic() + 0.2) is None
        assert [type(one) for one in heard] == [Pong, TextMessage]


def test_what_is_too_long_or_no_text_is_left_out() -> None:
    long = [TextMessage(data="x" * 50_000, message_finished=False)] * (LONGEST_MESSAGE // 50_000 + 1)
    with connected(*long, TextMessage(data="end"), BytesMessage(data=b"\xff"), TextMessage(data="after")) as link:
        assert link.receive(soon()) == "after"


def test_an_end_is_told_as_one() -> None:
    with connected(CloseConnection(code=1001)) as link, pytest.raises(SendError) as ended:
        link.receive(soon())
    assert (ended.value.fate, ended.value.code) == ("retry", "closed")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "http_404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", "http_200"),
        (b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "connection_lost"),
        (b"\x00\x01\x02", "connection_lost"),
        (b"", "connection_lost"),
    ],
)
def test_who_does_not_switch_is_refused(answer: bytes, code: str) -> None:
    def serve(sock: socket.socket, _: Any) -> None:
        sock.recv(65536)
        sock.sendall(answer)
        sock.close()

    with listening(serve) as url, pytest.raises(SendError) as refused:
        opened(url)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "url",
    [
        "wss://elsewhere.example/channels/one", "ws://streaming.mypurecloud.de/channels/one", "http://127.0.0.1/x",
        "wss://streaming.mypurecloud.de:8443/x", "file:///etc/passwd", "wss://streaming.mypurecloud.de@else.example/",
        "wss://169.254.169.254/x", "wss://notmypurecloud.de/x", "",
    ],
)  # fmt: skip
def test_only_the_providers_own_hosts_are_connected_to(url: str) -> None:
    with pytest.raises(SendError) as refused:
        opened(url, TrustedOrigins(frozenset(), (".mypurecloud.de",)))
    assert (refused.value.fate, refused.value.code) == ("refused", "url_refused")
