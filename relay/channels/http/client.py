"""The one place that speaks HTTP to the providers: tokens, hosts, connections, deadlines.

A call that fails raises SendError and nothing else. It says "retry" as long as no byte was
written, and "unknown" from the first byte until an answer has been read. Nothing is sent twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urljoin

import orjson
from geventhttpclient.response import HTTPParseError

from relay.channels.base import Logins, TokenCache
from relay.channels.http.connections import Connection, Connections
from relay.channels.http.exchange import LONGEST_ANSWER, HttpExchange, HttpResponse, broken, late, request_head, until
from relay.channels.http.origins import Origin, TrustedOrigins, own_origins
from relay.channels.http.redaction import redact
from relay.channels.http.websocket import WebSocket
from relay.core.errors import SendError
from relay.core.languages import phrase

__all__ = ["HttpResponse", "HttpTransport", "Stream", "redact"]

SHORT_ANSWER = 16 * 1024
LARGEST_FILE = 128 * 1024 * 1024
REDIRECTS = 5
_HTTP = {"ws": "http", "wss": "https"}

BeforeSend = Callable[[], None] | None


class Stream:
    """A file being downloaded: what the answer says about it, and its blocks."""

    __slots__ = ("blocks", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], blocks: Iterator[bytes]) -> None:
        self.status = status
        self.headers = headers
        self.blocks = blocks


class HttpTransport:
    """Shared by all channels of a process. `request_seconds` bounds every single JSON call."""

    def __init__(
        self,
        tokens: TokenCache,
        graph_url: str = "https://graph.facebook.com",
        graph_version: str = "v25.0",
        genesys_login_url: str | None = None,
        genesys_api_url: str | None = None,
        request_seconds: float = 10,
        logins: Logins | None = None,
    ) -> None:
        self.tokens = tokens
        self.logins = logins
        self.graph_url = graph_url.rstrip("/")
        self.graph_version = graph_version
        self.genesys_login_url = genesys_login_url.rstrip("/") if genesys_login_url else None
        self.genesys_api_url = genesys_api_url.rstrip("/") if genesys_api_url else None
        self.request_seconds = request_seconds
        self.graph_origins = own_origins(graph_url)
        self.genesys_origins = own_origins(genesys_login_url, genesys_api_url)
        self._connections = Connections()

    def call(
        self,
        method: str,
        url: str,
        trust: TrustedOrigins,
        deadline: float,
        *,
        query: Mapping[str, str] | None = None,
        authorization: str | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        before_send: BeforeSend = None,
        repeatable: bool = False,
    ) -> HttpResponse:
        """One JSON call. `repeatable`: repeating does no harm, so a lost answer is "retry" too."""
        kind, body = _body(json, form)
        headers = {"Accept": "application/json"} | ({"Content-Type": kind} if kind else {})
        url += f"?{urlencode(query)}" if query else ""
        ends = min(deadline, time.monotonic() + self.request_seconds)
        return self._answer(
            method, url, trust, ends, headers, authorization, [body], len(body), before_send, repeatable
        )

    def upload(
        self,
        url: str,
        trust: TrustedOrigins,
        deadline: float,
        *,
        authorization: str,
        content_type: str,
        body: Iterable[bytes],
        length: int,
    ) -> HttpResponse:
        """Stream a POST body of known length. Repeating an upload does no harm."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        return self._answer("POST", url, trust, deadline, headers, authorization, body, length, None, repeatable=True)

    def post(
        self, url: str, trust: TrustedOrigins, deadline: float, headers: dict[str, str], body: bytes
    ) -> HttpResponse:
        """One JSON body, as it is, with headers of the caller's. Repeating it does no harm.

        Of the answer only the beginning is read (SHORT_ANSWER): it is a stranger's, and its status says it all.
        """
        origin = trust.admit(url)
        head = request_head("POST", url, {"Content-Type": "application/json", **headers}, len(body))
        with self._exchange("POST", origin, trust, deadline) as exchange, _guard(exchange, deadline, repeatable=True):
            exchange.write(head, [body], None)
            status, found = exchange.read_head()
            return HttpResponse(status, found, exchange.beginning(SHORT_ANSWER))

    @contextmanager
    def download(
        self, url: str, trust: TrustedOrigins, deadline: float, authorization: str | None = None
    ) -> Iterator[Stream]:
        """GET a file, following redirects by hand. The bearer goes to the provider's own hosts only."""
        for _ in range(REDIRECTS + 1):
            origin = trust.admit(url)
            shown = authorization if trust.takes_bearer(origin) else None
            with self._get(url, origin, trust, deadline, shown) as stream:
                if stream.status not in (301, 302, 303, 307, 308) or "location" not in stream.headers:
                    yield stream
                    return
                target = urljoin(url, stream.headers["location"])
            if trust.admit(target) != origin:
                authorization = None
            url = target
        raise SendError("refused", "too_many_redirects", phrase("the file's address leads nowhere"))

    def web_socket(self, url: str, trust: TrustedOrigins, deadline: float) -> WebSocket:
        """An open one, to the provider's own hosts only; whoever asks for it closes it. `url`: ws or wss."""
        scheme, _, rest = url.partition("://")
        address = f"{_HTTP.get(scheme.lower(), '')}://{rest}"
        origin = trust.admit(address)
        if not trust.takes_bearer(origin):
            raise SendError("refused", "url_refused", phrase("not one of the provider's hosts"))
        with until(deadline, lambda: SendError("retry", "connect_timeout", phrase("cannot connect in time"))):
            socket = WebSocket(self._connections.fresh(origin, trust))
        try:
            socket.open(address, deadline)
        except BaseException:
            socket.close()
            raise
        return socket

    def close(self) -> None:
        """Drop idle connections."""
        self._connections.close()

    def _answer(
        self,
        method: str,
        url: str,
        trust: TrustedOrigins,
        deadline: float,
        headers: dict[str, str],
        authorization: str | None,
        body: Iterable[bytes],
        length: int,
        before_send: BeforeSend,
        repeatable: bool,
    ) -> HttpResponse:
        origin = trust.admit(url)
        if authorization is not None:
            headers["Authorization"] = _authorization(authorization, trust, origin)
        head = request_head(method, url, headers, length)
        with self._exchange(method, origin, trust, deadline) as exchange, _guard(exchange, deadline, repeatable):
            exchange.write(head, body, before_send)
            status, found = exchange.read_head()
            content = b"".join(exchange.blocks(LONGEST_ANSWER))
        return HttpResponse(status, found, content, (authorization or "").partition(" ")[2])

    @contextmanager
    def _get(
        self, url: str, origin: Origin, trust: TrustedOrigins, deadline: float, authorization: str | None
    ) -> Iterator[Stream]:
        headers = {"Accept": "*/*"}
        if authorization is not None:
            headers["Authorization"] = _authorization(authorization, trust, origin)
        head = request_head("GET", url, headers, None)
        with self._exchange("GET", origin, trust, deadline) as exchange:
            with _guard(exchange, deadline, repeatable=True):
                exchange.write(head, (), None)
                status, found = exchange.read_head()
            yield Stream(status, found, _timed(exchange, deadline))

    @contextmanager
    def _exchange(self, method: str, origin: Origin, trust: TrustedOrigins, deadline: float) -> Iterator[HttpExchange]:
        """A connection for one exchange: given back when it ended cleanly, closed when not."""
        if time.monotonic() >= deadline:
            raise SendError("retry", "timeout", phrase("no time left to begin"))
        with until(deadline, lambda: SendError("retry", "connect_timeout", phrase("cannot connect in time"))):
            connection = self._connections.take(origin, trust)
        exchange = HttpExchange(connection, method)
        clean = False
        try:
            yield exchange
            clean = exchange.reusable()
        finally:
            self._done(connection, clean and _poolable(origin, trust))

    def _done(self, connection: Connection, reusable: bool) -> None:
        if reusable:
            self._connections.give(connection)
        else:
            connection.close()


def _poolable(origin: Origin, trust: TrustedOrigins) -> bool:
    """Only the provider's own hosts are kept: strangers' are without number."""
    return trust.takes_bearer(origin)


@contextmanager
def _guard(exchange: HttpExchange, deadline: float, repeatable: bool) -> Iterator[None]:
    """Turns what can go wrong on the wire into SendError, by whether anything was written."""
    try:
        with until(deadline, lambda: late(exchange.written, repeatable)):
            yield
    except (OSError, HTTPParseError) as error:
        raise broken(error, exchange.written, repeatable) from None


def _timed(exchange: HttpExchange, deadline: float) -> Iterator[bytes]:
    """The blocks of a file, each read before the deadline. Faults become SendError here."""
    blocks = exchange.blocks(LARGEST_FILE)
    while True:
        with _guard(exchange, deadline, repeatable=True):
            block = next(blocks, None)
        if block is None:
            return
        if time.monotonic() > deadline:
            raise late(False, True)
        yield block


def _authorization(value: str, trust: TrustedOrigins, origin: Origin) -> str:
    """The header's value. A token is never shown to a host that is not the provider's."""
    if not trust.takes_bearer(origin):
        raise SendError("refused", "url_refused", phrase("not one of the provider's hosts"))
    if not value.isascii() or not value.isprintable():
        raise SendError("credentials", "unusable_token", phrase("the token holds characters no token has"))
    return value


def _body(json: Any, form: Mapping[str, str] | None) -> tuple[str | None, bytes]:
    if form is not None:
        return "application/x-www-form-urlencoded", urlencode(form).encode()
    if json is not None:
        return "application/json", orjson.dumps(json)
    return None, b""
