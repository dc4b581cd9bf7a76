"""Sockets to providers, kept per origin. Knows nothing of HTTP.

geventhttpclient's own pool waits without limit and connects to whatever DNS says; this one
does neither, and leaves to the caller when the first byte goes out.
"""

from __future__ import annotations

import select
import ssl
import time
from collections import deque
from contextlib import suppress

import certifi
import gevent.socket
import gevent.ssl
from gevent.monkey import get_original

from relay.channels.http.names import resolve, strangers
from relay.channels.http.origins import Origin, TrustedOrigins
from relay.core.certificates import OTHERS, refusal
from relay.core.errors import SendError
from relay.core.languages import phrase

IDLE_SECONDS = 20.0
CONNECT_SECONDS = 5.0
KEEP_PER_ORIGIN = 256


class Connection:
    """One socket, used by one call at a time."""

    __slots__ = ("idle_since", "origin", "sock")

    def __init__(self, origin: Origin, sock: gevent.socket.socket) -> None:
        self.origin = origin
        self.sock = sock
        self.idle_since = 0.0

    def close(self) -> None:
        with suppress(OSError):
            self.sock.close()

    def usable(self) -> bool:
        """False when it idled too long, or has something to read: an end of stream, or dirt."""
        if time.monotonic() - self.idle_since > IDLE_SECONDS:
            return False
        try:
            poll = get_original("select", "poll")()
            poll.register(self.sock.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
            return not poll.poll(0)
        except (OSError, ValueError):
            return False


class Connections:
    """The idle connections of this process, newest first."""

    def __init__(self) -> None:
        self._idle: dict[Origin, deque[Connection]] = {}
        self._context: gevent.ssl.SSLContext | None = None

    def take(self, origin: Origin, trust: TrustedOrigins) -> Connection:
        """A living connection, pooled or new. Raises SendError; nothing has been written then.

        Pooled ones serve only those who trust the host: they skip the look at its address.
        """
        idle = self._idle.get(origin) if trust.takes_bearer(origin) else None
        while idle:
            connection = idle.pop()
            if connection.usable():
                return connection
            connection.close()
        return self.fresh(origin, trust)

    def fresh(self, origin: Origin, trust: TrustedOrigins) -> Connection:
        """A new one, which nobody gets after this caller. Raises as `take` does."""
        return Connection(origin, self._connect(origin, trust))

    def give(self, connection: Connection) -> None:
        """Take back a connection whose answer was read to the end."""
        connection.idle_since = time.monotonic()
        idle = self._idle.setdefault(connection.origin, deque())
        idle.append(connection)
        while idle and (len(idle) > KEEP_PER_ORIGIN or _expired(idle[0])):
            idle.popleft().close()

    def close(self) -> None:
        """Drop everything idle."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _connect(self, origin: Origin, trust: TrustedOrigins) -> gevent.socket.socket:
        try:
            sock = _dial(origin, trust)
        except (OSError, UnicodeError) as error:
            raise SendError("retry", "connect_failed", phrase("cannot connect: %(why)s", why=_why(error))) from None
        if origin.scheme != "https":
            return sock
        try:
            return self._tls().wrap_socket(sock, server_hostname=origin.host)
        except BaseException as error:
            sock.close()
            if isinstance(error, (OSError, ValueError)):
                why = refusal(error, OTHERS) or _why(error)
                raise SendError("retry", "tls_failed", phrase("no secure connection: %(why)s", why=why)) from None
            raise

    def _tls(self) -> gevent.ssl.SSLContext:
        if self._context is None:
            paths = ssl.get_default_verify_paths()
            roots = None if paths.cafile or paths.capath else certifi.where()
            self._context = gevent.ssl.create_default_context(cafile=roots)
        return self._context


def _dial(origin: Origin, trust: TrustedOrigins) -> gevent.socket.socket:
    """Connect to the first allowed address that answers."""
    found = resolve(origin) if trust.knows(origin) else strangers.addresses(origin, trust.tenant_id)
    allowed = [item for item in found if trust.may_connect(origin, str(item[4][0]))]
    if not allowed:
        raise SendError("refused", "address_refused", phrase("that host has no public address"))
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in allowed:
        sock = gevent.socket.socket(family, kind, protocol)
        try:
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(address)
            sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
            sock.settimeout(None)  # from here on the call's own deadline rules
            return sock
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    raise problem


def _expired(connection: Connection) -> bool:
    return time.monotonic() - connection.idle_since > IDLE_SECONDS


def _why(error: BaseException) -> str:
    """The kind of fault without the address in it."""
    return getattr(error, "strerror", None) or type(error).__name__
