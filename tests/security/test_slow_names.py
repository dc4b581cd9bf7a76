"""A stranger's name server that never answers keeps nobody from the providers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original
from gevent.resolver.thread import Resolver

from relay.channels.http.client import HttpTransport
from relay.channels.http.connections import STRANGERS_NAMES
from relay.channels.http.origins import TrustedOrigins, own_origins
from relay.core.errors import SendError
from tests.unit.relay.channels.accounts import Tokens
from tests.unit.relay.channels.servers import answer, serving
from tests.waiting import PATIENCE, wait_until

SLOW = ".slow.example"
SHORT = 1.0


class SlowNames(Resolver):
    """gevent's own, in whose threads names below SLOW are answered when the test ends."""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self.over: Event = get_original("threading", "Event")()
        self.asked: list[str] = []

    def getaddrinfo(self, host: Any, *given: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not name.endswith(SLOW):
            return super().getaddrinfo(host, *given, **named)
        self.asked.append(name)
        self.pool.apply(self.over.wait, (PATIENCE,))
        raise OSError("no such name")


@pytest.fixture
def names() -> Iterator[SlowNames]:
    hub = gevent.get_hub()
    before, hub.resolver = hub.resolver, SlowNames(hub)
    yield hub.resolver
    hub.resolver.over.set()
    hub.resolver = before


@pytest.mark.parametrize(
    "trust", [TrustedOrigins(), TrustedOrigins(hosts=(SLOW,), named=True)], ids=["a file", "a tenant's provider"]
)
def test_slow_names_leave_threads_for_the_providers(names: SlowNames, trust: TrustedOrigins) -> None:
    transport = HttpTransport(Tokens())
    asking = [gevent.spawn(fetch, transport, f"https://n{n}{SLOW}/", trust) for n in range(24)]
    wait_until(lambda: len(names.asked) >= STRANGERS_NAMES)
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        url = served.url.replace("127.0.0.1", "localhost")
        given = transport.call("GET", url, TrustedOrigins(own_origins(url)), time.monotonic() + PATIENCE)
    assert given.status == 200
    assert len(names.asked) == STRANGERS_NAMES
    gevent.joinall(asking, timeout=PATIENCE, raise_error=True)
    assert {one.value for one in asking} == {"connect_timeout"}


def fetch(transport: HttpTransport, url: str, trust: TrustedOrigins) -> str:
    try:
        with transport.download(url, trust, time.monotonic() + SHORT):
            return "had"
    except SendError as error:
        return error.code
