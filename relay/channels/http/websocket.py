"""One WebSocket to a provider: bounded, over the same guarded sockets as every call. Raises SendError, nothing else.

The protocol is wsproto's, which reads bytes and owns no socket: which address is connected to, how long anything may
take and how much is kept stay ours.
"""

from __future__ import annotations

import time
from contextlib import suppress
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from relay.channels.http.connections import Connection
from relay.core.errors import SendError
from relay.core.languages import phrase

BLOCK = 64 * 1024
LONGEST_MESSAGE = 256 * 1024
"""Characters; what is longer is left out."""
SEND_SECONDS = 5.0


class WebSocket:
    """Text messages both ways. Pings are answered while somebody receives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []
        self._pieces: list[str] = []
        self._length = 0
        self._open = True

    def open(self, url: str, deadline: float) -> None:
        """The handshake. An answer other than the switch is SendError `refused`, with its status."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._send(Request(host=parts.netloc, target=target))
        event = self._next(deadline)
        if isinstance(event, AcceptConnection):
            return
        if isinstance(event, RejectConnection):
            text = phrase("the WebSocket is refused with HTTP %(status)s", status=str(event.status_code))
            raise SendError("refused", f"http_{event.status_code}", text, status=event.status_code)
        raise _broken() if event is not None else SendError("retry", "timeout", phrase("no WebSocket in time"))

    def receive(self, deadline: float) -> str | None:
        """The next text; None: there was none before `deadline` (monotonic). Raises SendError where it has ended."""
        while (event := self._next(deadline)) is not None:
            match event:
                case Ping():
                    self._send(event.response())
                case CloseConnection():
                    self._open = False
                    with suppress(SendError):  # it may have gone without waiting for that
                        self._send(event.response())
                    raise SendError(
                        "retry", "closed", phrase("the provider closed the WebSocket (%(code)s)", code=str(event.code))
                    )
                case TextMessage() | BytesMessage():
                    text = self._whole(event)
                    if text is not None:
                        return text
        return None

    def send(self, text: str) -> None:
        self._send(TextMessage(data=text))

    def close(self) -> None:
        """Say so, if the other side still listens, and let go."""
        if self._open:
            self._open = False
            with suppress(SendError):  # it has gone already
                self._send(CloseConnection(code=1000))
        self._connection.close()

    def _whole(self, event: TextMessage | BytesMessage) -> str | None:
        """The text that this was the last piece of. What is no text, or too long, is left out."""
        self._length += len(event.data)
        if isinstance(event, TextMessage) and event.data and self._length <= LONGEST_MESSAGE:
            self._pieces.append(event.data)
        if not event.message_finished:
            return None
        text = "".join(self._pieces) if self._pieces and self._length <= LONGEST_MESSAGE else None
        self._pieces, self._length = [], 0
        return text

    def _next(self, deadline: float) -> Event | None:
        while not self._events:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            try:
                self._connection.sock.settimeout(left)
                block = self._connection.sock.recv(BLOCK)
                self._protocol.receive_data(block or None)
                self._events += self._protocol.events()
            except TimeoutError:
                return None
            except (OSError, ProtocolError):
                raise _broken() from None
            if not block and not self._events:
                raise _broken()
        return self._events.pop(0)

    def _send(self, event: Event) -> None:
        try:
            self._connection.sock.settimeout(SEND_SECONDS)
            self._connection.sock.sendall(self._protocol.send(event))
        except (OSError, ProtocolError):  # the latter: it is closing already
            raise _broken() from None


def _broken() -> SendError:
    return SendError("retry", "connection_lost", phrase("the WebSocket broke"))
