"""Names of hosts that tenants and strangers chose: resolved few at once, few of one tenant, remembered for a moment.

Each look-up holds one of ten threads of the process for as long as the name's own server pleases.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from typing import Any

import gevent
import gevent.socket
from gevent.event import AsyncResult, Event

from relay.channels.http.origins import Origin
from relay.core.errors import SendError
from relay.core.languages import phrase

PLACES = 4
"""Look-ups at once; the other threads are for the providers' names, and for other work."""
SHARE = 1
"""Of these, of one tenant: whose names hang waits for itself."""
WAIT_SECONDS = 5.0
"""For a place, and for the answer: as long as a connection may take."""
KEPT_SECONDS = 20.0
"""An answer is used again so long, whatever its own time is. Each use looks at the addresses."""
KEPT = 500
WAITING = 50
"""So many of one tenant may wait at once."""

Addresses = list[tuple[Any, ...]]
Found = Addresses | OSError | UnicodeError
Name = tuple[str, int]


def resolve(origin: Origin) -> Addresses:
    """Raises OSError or UnicodeError."""
    found: Addresses = gevent.socket.getaddrinfo(origin.host, origin.port, 0, gevent.socket.SOCK_STREAM)
    return found


class StrangersNames:
    """One for the process, as its threads are."""

    def __init__(self) -> None:
        self._known: OrderedDict[Name, tuple[float, Addresses]] = OrderedDict()
        self._under_way: Counter[str] = Counter()
        self._asking: dict[tuple[str, Name], AsyncResult[Found]] = {}
        self._left = Event()
        self._waiting: Counter[str] = Counter()

    def addresses(self, origin: Origin, tenant_id: str) -> Addresses:
        """`tenant_id`: whose share it takes. Raises OSError, UnicodeError, and SendError (retry) if it takes long."""
        name = (origin.host, origin.port)
        known = self._known.get(name)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        asked = self._asking.get((tenant_id, name)) or self._ask(origin, tenant_id)
        try:
            found: Found = asked.get(timeout=WAIT_SECONDS)
        except gevent.Timeout:
            raise _slow() from None
        if isinstance(found, Exception):
            raise found
        return found

    def forget(self) -> None:
        """All answers."""
        self._known.clear()

    def _ask(self, origin: Origin, tenant_id: str) -> AsyncResult[Found]:
        self._wait(tenant_id)
        self._under_way[tenant_id] += 1
        key = (tenant_id, (origin.host, origin.port))
        asked: AsyncResult[Found] = AsyncResult()
        self._asking[key] = asked
        # In a greenlet of its own: when whoever asked has no time left, the thread goes on, and holds its place.
        gevent.spawn(self._look_up, origin, key, asked)
        return asked

    def _wait(self, tenant_id: str) -> None:
        """For a place of this tenant's. Raises SendError."""
        if self._waiting[tenant_id] >= WAITING:
            raise _slow()
        ends = time.monotonic() + WAIT_SECONDS
        self._waiting[tenant_id] += 1
        try:
            while self._under_way.total() >= PLACES or self._under_way[tenant_id] >= SHARE:
                self._left.clear()
                self._left.wait(max(0.0, ends - time.monotonic()))
                if time.monotonic() >= ends:
                    raise _slow()
        finally:
            _one_less(self._waiting, tenant_id)

    def _look_up(self, origin: Origin, key: tuple[str, Name], asked: AsyncResult[Found]) -> None:
        found: Found
        try:
            found = resolve(origin)
            self._remember(key[1], found)
        except (OSError, UnicodeError) as error:
            found = error  # by then nobody may be waiting for it
        _one_less(self._under_way, key[0])
        self._asking.pop(key, None)
        self._left.set()
        asked.set(found)

    def _remember(self, name: Name, found: Addresses) -> None:
        self._known[name] = (time.monotonic() + KEPT_SECONDS, found)
        self._known.move_to_end(name)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)


def _one_less(counts: Counter[str], tenant_id: str) -> None:
    counts[tenant_id] -= 1
    if not counts[tenant_id]:
        del counts[tenant_id]


def _slow() -> SendError:
    return SendError("retry", "name_slow", phrase("the name of that host is not resolved in time"))


strangers = StrangersNames()
