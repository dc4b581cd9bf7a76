"""A connection with an end to every wait: for a request's head, for its body, and for an answer to be taken."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from werkzeug.exceptions import RequestTimeout

HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its headers."""
BODY_SECONDS = 30.0
"""From there to the end of its body. 4 MiB, the most that is taken, are 140 KB in a second."""
TAKING_SECONDS = 60.0
"""For each piece of an answer to be taken by whoever asked."""
PIECE_BYTES = 256 * 1024
"""At once: more than nearly all webhooks have."""
PACE_BYTES = 4 * 1024 * 1024
"""Of what comes beyond, in a second. The largest webhook of Meta's, 3 MB, takes 0.7 of one."""
SLICE_BYTES = 64 * 1024


class TooSlowError(RequestTimeout):
    """The application answers it as it answers every error: in its own form, with 408."""

    description = "the request did not arrive in time; send it again"


class ReadingPace:
    """How fast a connection brings what it brings: whoever pushes large bodies leaves the core to others meanwhile.

    Of a connection, not of an address: behind a proxy all come from one. What is owed is waited for within the request
    that brought it, so that whoever comes next over the same connection waits for nobody else's.
    """

    def __init__(self, now: float) -> None:
        self._left = float(PIECE_BYTES)
        self._at = now

    def wait_after(self, size: int, now: float) -> float:
        """Seconds to wait when so many bytes have come."""
        self._left = min(PIECE_BYTES, self._left + (now - self._at) * PACE_BYTES) - size
        self._at = now
        return max(0.0, -self._left / PACE_BYTES)


class TimedSocket:
    """A connection's socket with a deadline for whatever is being read from it, and a pace."""

    def __init__(self, sock: Any, idle_seconds: float) -> None:
        self._sock = sock
        self._idle_seconds = idle_seconds
        self._ends: float | None = None
        self.too_slow = False
        self.awaited = False
        self._gives_way = False
        self._idle_from = time.monotonic()
        self._pace = ReadingPace(self._idle_from)
        sock.settimeout(TAKING_SECONDS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def wait_for_request(self) -> None:
        """Nothing of the next request is here: its deadline begins with its first byte."""
        self._ends = None
        self._idle_from = time.monotonic()

    def idle_for(self, seconds: float) -> bool:
        """Whether no byte of a next request has come for so long."""
        waits = self.awaited and self._ends is None
        return waits and time.monotonic() - self._idle_from >= seconds and not unread_bytes(self._sock)

    def wait_for_body(self) -> None:
        self._ends = time.monotonic() + BODY_SECONDS

    def recv(self, size: int) -> bytes:
        """As a socket's. Empty when the other side has nothing to ask. Raises TooSlowError."""
        late = False
        try:
            found = self._received(size)
        except OSError as error:
            late, found = True, b""
            # gevent ends the wait with an error of its own when the socket is shut down by somebody else.
            if not (self._gives_way or isinstance(error, TimeoutError)):
                raise
        if not found and self._ends is not None and (late or self._gives_way):
            self.too_slow = True
            raise TooSlowError
        if found and self._ends is None:
            self._ends = time.monotonic() + HEAD_SECONDS
        if wait := self._pace.wait_after(len(found), time.monotonic()):
            gevent.sleep(wait)
        return found

    def give_way(self) -> None:
        """What is being awaited comes to an end after what is here already, as if it were late."""
        self._gives_way = True
        self._sock.shutdown(socket.SHUT_RD)

    def _received(self, size: int) -> bytes:
        left = self._idle_seconds if self._ends is None else self._ends - time.monotonic()
        if left <= 0:  # a byte at a time is always there in time
            raise TimeoutError
        self._sock.settimeout(left)
        self.awaited = True
        try:
            return bytes(self._sock.recv(min(size, SLICE_BYTES)))
        finally:
            self.awaited = False
            self._sock.settimeout(TAKING_SECONDS)

    def sendall(self, piece: bytes) -> None:
        """As a socket's. Who takes nothing is taken for gone."""
        with _taken():
            self._sock.sendall(piece)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As a socket's, in turns: each stretch has the time that a piece has."""
        sent = 0
        while count is None or sent < count:
            part = PIECE_BYTES if count is None else min(PIECE_BYTES, count - sent)
            with _taken():
                done = self._sock.sendfile(file, offset + sent, part)
            if not done:
                break
            sent += done
        return sent


def unread_bytes(sock: Any) -> int:
    """So many have arrived and were not read yet."""
    found: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))[0]
    return found


@contextmanager
def _taken() -> Iterator[None]:
    try:
        yield
    except TimeoutError:  # gunicorn knows this one for somebody who has left, and writes nothing about it
        raise BrokenPipeError(errno.EPIPE, "nobody takes the answer") from None
