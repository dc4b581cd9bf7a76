"""One HTTP/1.1 exchange over one connection: bytes out, an answer in. Never sends twice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import gevent
import orjson
from geventhttpclient.response import HTTPParseError, HTTPResponse

from relay.channels.http.connections import Connection
from relay.channels.http.redaction import kept
from relay.core.errors import Fate, SendError
from relay.core.languages import phrase

USER_AGENT = "whatsapp-genesys-relay/1.0"
BLOCK = 64 * 1024
LONGEST_HEAD = 64 * 1024
LONGEST_ANSWER = 4 * 1024 * 1024
LONGEST_TEXT = 64 * 1024

_HEADER = re.compile(r"[\x20-\x7e]*")


class HttpResponse:
    """A provider's answer, read completely. `data` is its JSON, None where it is none: see `text` then.

    `token` is what the call was authorised with, so that it can be taken out of what an answer repeats.
    """

    __slots__ = ("data", "empty", "headers", "status", "text", "token")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, token: str = "") -> None:
        self.status = status
        self.headers = headers
        self.data = _json(body)
        self.text = "" if self.data is not None else body[:LONGEST_TEXT].decode("utf-8", "replace")
        self.empty = not body.strip()
        self.token = token

    def kept(self, secrets: Iterable[str] = ()) -> str | None:
        """What it said, as it is kept with the message that it refuses."""
        return kept(self.text if self.data is None else self.data, (*secrets, self.token))

    @property
    def retry_after(self) -> float | None:
        """Retry-After in seconds; the date form is not used by either provider."""
        value = self.headers.get("retry-after", "").strip()
        return float(value) if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) else None


class _Parser(HTTPResponse):  # type: ignore[misc, unused-ignore]
    """geventhttpclient's parser, which takes one answer only, and hands out the body in blocks."""

    def _on_message_begin(self) -> None:
        if self.message_complete and self.get_code() >= 200:
            raise HTTPParseError("more than one answer")
        super()._on_message_begin()

    def take(self) -> bytes:
        """What has been parsed of the body since the last time."""
        block = bytes(self._body_buffer)
        self._body_buffer.clear()
        return block


class HttpExchange:
    """One request on `connection`. `written` tells whether its first byte may have gone out."""

    def __init__(self, connection: Connection, method: str) -> None:
        self.connection = connection
        self.written = False
        self._parser = _Parser(method=method)
        self._head = 0

    def write(self, head: bytes, body: Iterable[bytes], before_send: Callable[[], None] | None) -> None:
        """Send it all. A peer that hangs up early may still have answered, so that is no error yet."""
        if before_send is not None:
            before_send()
        self.written = True
        first = head
        try:
            for block in body:
                self.connection.sock.sendall(first + block)
                first = b""
            if first:
                self.connection.sock.sendall(first)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read_head(self) -> tuple[int, dict[str, str]]:
        """Status and headers (names in lower case) of the final answer."""
        while not self._parser.headers_complete or self._parser.get_code() < 200:
            self._head += self._receive()
            if self._head > LONGEST_HEAD + BLOCK:
                raise HTTPParseError("answer head too long")
        return self._parser.get_code(), {str(name).lower(): str(value) for name, value in self._parser.items()}

    def blocks(self, limit: int) -> Iterator[bytes]:
        """The body as it comes. Raises HTTPParseError when it is cut short or exceeds `limit`."""
        total = 0
        while True:
            block = self._parser.take()
            total += len(block)
            if total > limit:
                raise HTTPParseError("answer too long")
            if block:
                yield block
            elif self._parser.message_complete:
                return
            else:
                self._receive()

    def beginning(self, length: int) -> bytes:
        """So many bytes of the body, or all of a shorter one."""
        found = self._parser.take()
        while len(found) < length and not self._parser.message_complete:
            self._receive()
            found += self._parser.take()
        return found[:length]

    def reusable(self) -> bool:
        """True when the answer ended cleanly and the peer keeps the connection."""
        return self._parser.message_complete and not self._parser.should_close()

    def _receive(self) -> int:
        data = self.connection.sock.recv(BLOCK)
        self._parser.feed(data)
        if not data and not self._parser.message_complete:
            raise HTTPParseError("connection closed before the end of the answer")
        return len(data)


@contextmanager
def until(deadline: float, fault: Callable[[], SendError]) -> Iterator[None]:
    """Cut what runs inside at `deadline` (monotonic). gevent's Timeout never leaves: `fault` does."""
    timeout = gevent.Timeout(max(0.0, deadline - time.monotonic()))
    timeout.start()
    try:
        yield
    except gevent.Timeout as caught:
        if caught is not timeout:
            raise
        raise fault() from None
    finally:
        timeout.close()


def request_head(method: str, url: str, headers: Mapping[str, str], length: int | None) -> bytes:
    """The request line and headers. Raises SendError for a value that would break out of its line."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", f"User-Agent: {USER_AGENT}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if not all(_HEADER.fullmatch(line) for line in lines):
        raise SendError("refused", "unusable_value", phrase("a token or address holds characters HTTP does not take"))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def broken(error: Exception, written: bool, repeatable: bool) -> SendError:
    """A transport fault as a SendError: unknown once anything was written, unless repeating is harmless."""
    fate: Fate = "unknown" if written and not repeatable else "retry"
    reset = isinstance(error, OSError)
    kind = "connection_lost" if reset else "bad_answer"
    text = "the connection broke" if reset else "the answer could not be read to its end"
    return SendError(fate, kind, text)


def late(written: bool, repeatable: bool) -> SendError:
    """The deadline passed."""
    fate: Fate = "unknown" if written and not repeatable else "retry"
    return SendError(fate, "timeout", phrase("no complete answer in time"))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
