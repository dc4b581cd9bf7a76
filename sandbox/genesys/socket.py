"""The WebSocket of a notification channel: heartbeats, answers to pings, and what is told to the channel.

Source: Genesys' developer pages on notifications: a heartbeat every 30 s, {"message": "ping"} answered by a pong, and
a warning before a socket is closed for maintenance.
"""

import json
import socket
from typing import Any

import gevent
from gevent.queue import Empty, Queue
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage
from wsproto.utilities import ProtocolError

from sandbox.genesys.event_channels import CLOSE, NotificationChannel

HEARTBEAT_SECONDS = 30.0
BLOCK = 64 * 1024


def serve(environ: dict[str, Any], channel: NotificationChannel) -> bool:
    """Speak until either side ends it. False: this is no WebSocket's request."""
    sock: socket.socket = environ["sandbox.socket"]
    protocol = WSConnection(ConnectionType.SERVER)
    try:
        protocol.initiate_upgrade_connection(_headers(environ), environ["PATH_INFO"])
        if not any(isinstance(event, Request) for event in protocol.events()):
            return False
        sock.sendall(protocol.send(AcceptConnection()))
    except ProtocolError:
        return False
    channel.say(CLOSE)  # whoever was connected gives way
    queue = channel.queue = Queue(channel.queue.maxsize)
    channel.listening = True
    reader = gevent.spawn(_read, sock, protocol, channel)
    try:
        _write(sock, protocol, queue)
    except (OSError, ProtocolError):
        pass  # the other side is gone
    finally:
        if channel.queue is queue:
            channel.listening = False
        reader.kill()
    return True


def _write(sock: socket.socket, protocol: WSConnection, queue: "Queue[str]") -> None:
    while True:
        try:
            text = queue.get(timeout=HEARTBEAT_SECONDS)
        except Empty:
            text = metadata("WebSocket Heartbeat")
        if text == CLOSE:
            sock.sendall(protocol.send(CloseConnection(code=1000)))
            return
        sock.sendall(protocol.send(TextMessage(data=text)))


def _read(sock: socket.socket, protocol: WSConnection, channel: NotificationChannel) -> None:
    """What is no ping is nothing that Genesys understands."""
    queue = channel.queue
    try:
        while block := sock.recv(BLOCK):
            protocol.receive_data(block)
            for event in protocol.events():
                if isinstance(event, CloseConnection):
                    return
                if isinstance(event, Ping):
                    sock.sendall(protocol.send(event.response()))
                elif isinstance(event, TextMessage) and "ping" in event.data:
                    channel.say(metadata("pong"))
    except (OSError, ProtocolError):
        pass
    finally:
        if channel.queue is queue:
            channel.say(CLOSE)


def metadata(message: str) -> str:
    return json.dumps({"topicName": "channel.metadata", "version": "2", "eventBody": {"message": message}})


def _headers(environ: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    named = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    return [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
