"""Gunicorn's gevent worker with an end to every wait, and to how many connections one address may hold.

Whoever sends a request a byte at a time, or never ends it, holds a greenlet and a file meanwhile. Gunicorn bounds how
long it waits for a head only: here head, body and the taking of an answer each have a deadline, and what is too slow is
answered 408 and closed. Gunicorn loads this class in its master, before anything is patched: nothing is opened here.

An orderly stop takes as long as what is being answered. Gunicorn's own waits for kept connections on which nobody asks
anything, and looks once a second.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http.errors import ParseException
from gunicorn.sock import ssl_context
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import RequestTimeout

from web.connection import PIECE_BYTES, TimedSocket, TooSlowError
from web.request.networks import network_of

UNWANTED_BYTES = 8 * 1024 * 1024
"""So much of a body is read although nobody wants it: twice what a webhook may have."""
SHARE = 4
"""An address may hold one of so many parts of a worker's connections."""
ROOM = 0.1
"""So much of a worker's connections is kept free: whoever has been awaited the longest gives way to who comes."""

LOOK_SECONDS = 1.0
"""So often the master hears that this worker is well."""
STOP_LOOK_SECONDS = 0.05
LAST_WORD_SECONDS = 0.5
"""A connection that was used so shortly before a stop may be about to bring its next request: it is answered, and told
that it was the last. One that has been idle for longer is closed at once."""

REFUSALS = {
    408: b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    429: b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n",
}


class Addresses:
    """How many connections each address holds. Of IPv6 a whole /64 counts as one: a household has as many at will."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()

    @contextmanager
    def one_more(self, address: str) -> Iterator[bool]:
        """Whether one more may be held, for as long as the context lasts."""
        who = network_of(address)
        granted = self._held[who] < self._most
        self._held[who] += granted
        try:
            yield granted
        finally:
            self._held[who] -= granted
            if not self._held[who]:
                del self._held[who]


class Worker(GeventWorker):
    """What conf/gunicorn.py names as worker_class."""

    def init_process(self) -> None:
        self._addresses = Addresses(max(1, self.worker_connections // SHARE))
        self._clients: dict[TimedSocket, None] = {}  # in the order in which something new was awaited of them
        self._asked: set[Any] = set()  # requests of gunicorn's that are being answered
        self._asked_to_stop = Event()
        super().init_process()

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        self._asked_to_stop.set()

    def run(self) -> None:
        """Serve until the end of an orderly stop. Raises SystemExit when the master is gone."""
        servers = [self._server(listener) for listener in self.sockets]
        for server in servers:
            server.start()
        while self.alive:
            self.notify()
            self._asked_to_stop.wait(LOOK_SECONDS)
        self._stop(servers)

    def _server(self, listener: Any) -> StreamServer:
        listener.setblocking(True)
        tls = {"ssl_context": ssl_context(self.cfg)} if self.cfg.is_ssl else {}
        server = StreamServer(listener, partial(self.handle, listener), spawn=Pool(self.worker_connections), **tls)
        if self.cfg.workers > 1:
            server.max_accept = 1  # the other workers get their share
        return server

    def _stop(self, servers: Sequence[StreamServer]) -> None:
        """Readiness says no, and each answer that its connection ends: gunicorn says so itself of what begins now."""
        self.wsgi.extensions["stopping"] = True
        for req in self._asked:
            req.force_close()
        ends = time.monotonic() + self.cfg.graceful_timeout
        for server in servers:
            _take_in_who_waits(server)
            server.close()
        while any(server.pool for server in servers) and time.monotonic() < ends:
            for client in [one for one in self._clients if one.idle_for(LAST_WORD_SECONDS)]:
                self._let_go(client)
            self.notify()
            gevent.sleep(STOP_LOOK_SECONDS)
        for server in servers:
            server.stop(timeout=1)  # ends what could not be answered in time

    def timeout_ctx(self) -> AbstractContextManager[None]:
        return nullcontext()  # the client's own deadlines, which also know why

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        with self._place(addr) as granted:
            if granted:
                self._handle(listener, TimedSocket(client, self.cfg.keepalive), addr)
            else:
                _refuse(client, 429)

    def _handle(self, listener: Any, client: TimedSocket, addr: Any) -> None:
        self._make_room()
        self._clients[client] = None
        try:
            super().handle(listener, client, addr)
        finally:
            self._clients.pop(client, None)

    def _make_room(self) -> None:
        """Many addresses could fill a worker together: the one that has been awaited the longest is let go."""
        if len(self._clients) >= self.worker_connections * (1 - ROOM):
            oldest = next((one for one in self._clients if one.awaited), None)
            if oldest is not None:
                self._let_go(oldest)

    def _let_go(self, client: TimedSocket) -> None:
        del self._clients[client]
        with suppress(OSError):  # it has gone by itself
            client.give_way()

    def _begins(self, client: TimedSocket) -> None:
        """Something new is awaited of it: it is the youngest again."""
        if client in self._clients:  # and not on its way out
            del self._clients[client]
            self._clients[client] = None

    def handle_request(self, listener_name: Any, req: Any, sock: TimedSocket, addr: Any) -> None:
        self._begins(sock)
        sock.wait_for_body()
        self._asked.add(req)
        try:
            super().handle_request(listener_name, req, sock, addr)
        finally:
            self._asked.remove(req)
            over = _read_to_its_end(req)
        if sock.too_slow or not over:
            raise StopIteration  # gunicorn's word for: close it. Where the next request begins is not known
        self._begins(sock)
        sock.wait_for_request()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        if isinstance(exc, TooSlowError):
            _refuse(client, 408)
        else:
            # Of the request gunicorn would log the whole address, which may hold a webhook's key or a verify token.
            super().handle_error(None, client, addr, exc)

    def _place(self, addr: Any) -> AbstractContextManager[bool]:
        """Behind a proxy all connections come from the proxy, and it is the proxy that counts addresses."""
        if not addr or self.wsgi.extensions["relay"].trusted_proxies:
            return nullcontext(True)
        return self._addresses.one_more(addr[0])


def _take_in_who_waits(server: StreamServer) -> None:
    """Who has connected and was not accepted yet would be cut off with the listener."""
    for _ in range(server.pool.free_count()):
        waiting = server.do_read()
        if waiting is None:
            return
        server.do_handle(*waiting)


def _read_to_its_end(req: Any) -> bool:
    """What the application did not want of a body: whoever is still sending would not see the answer otherwise.

    In pieces, with turns for others; gunicorn's own way copies all that waits for every 8 KiB of it.
    """
    try:
        for _ in range(UNWANTED_BYTES // PIECE_BYTES):
            if not req.body.read(PIECE_BYTES):
                return True
            gevent.sleep(0)
    except (OSError, RequestTimeout, ParseException):
        return False
    return False


def _refuse(client: Any, status: int) -> None:
    with suppress(OSError):  # whoever is gone needs no answer
        client.sendall(REFUSALS[status])
    client.close()
