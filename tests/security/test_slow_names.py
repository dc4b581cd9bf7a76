"""A stranger's name server that never answers keeps nobody from the providers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original
from gevent.resolver.thread import Resolver

from relay.channels.http.client import HttpTransport
from relay.channels.http.names import PLACES, strangers
from relay.channels.http.origins import TrustedOrigins, own_origins
from relay.core.errors import SendError
from tests.security.names import resolving
from tests.unit.relay.channels.accounts import Tokens
from tests.unit.relay.channels.servers import answer, serving
from tests.waiting import PATIENCE, wait_until
from web.openid.calls import Calls
from web.openid.directory import Directory
from web.openid.errors import OpenIdError

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
    strangers.forget()
    yield hub.resolver
    hub.resolver.over.set()
    wait_until(lambda: not strangers._under_way, message="the names that were asked for")
    hub.resolver = before
    strangers.forget()


@pytest.mark.parametrize(
    "trust", [TrustedOrigins(), TrustedOrigins(hosts=(SLOW,), named=True)], ids=["a file", "a tenant's provider"]
)
def test_slow_names_leave_threads_for_the_providers(names: SlowNames, trust: TrustedOrigins) -> None:
    transport = HttpTransport(Tokens())
    asking = [
        gevent.spawn(fetch, transport, f"https://n{n}{SLOW}/", replace(trust, tenant_id=f"t{n}")) for n in range(24)
    ]
    wait_until(lambda: len(names.asked) >= PLACES)
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        url = served.url.replace("127.0.0.1", "localhost")
        given = transport.call("GET", url, TrustedOrigins(own_origins(url)), time.monotonic() + PATIENCE)
    assert given.status == 200
    assert len(names.asked) == PLACES
    gevent.joinall(asking, timeout=PATIENCE, raise_error=True)
    assert {one.value for one in asking} <= {"connect_timeout", "name_slow"}


def test_the_slow_names_of_one_tenant_leave_places_for_the_others(names: SlowNames) -> None:
    transport = HttpTransport(Tokens())
    hanging = [
        gevent.spawn(fetch, transport, f"https://n{n}{SLOW}/", TrustedOrigins(tenant_id="one")) for n in range(24)
    ]
    wait_until(lambda: names.asked)
    assert fetch(transport, "https://localhost/", TrustedOrigins(tenant_id="another"), PATIENCE) == "address_refused"
    gevent.joinall(hanging, timeout=PATIENCE, raise_error=True)
    assert len(names.asked) == 1


def test_a_tenants_log_in_has_one_share_however_many_hosts_it_names(
    names: SlowNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.channels.http.names.WAIT_SECONDS", SHORT)
    calls, directory = Calls(Tokens(), frozenset()), Directory()

    def look(issuer: str, tenant_id: str) -> str:
        with pytest.raises(OpenIdError) as refused:
            directory.metadata(issuer, calls.of(tenant_id))
        return refused.value.code

    hanging = [gevent.spawn(look, f"https://n{n}{SLOW}", "one") for n in range(2 * PLACES)]
    wait_until(lambda: names.asked)
    assert look("https://localhost", "one") == "name_slow"
    assert look("https://localhost", "another") == "address_refused", "that it was slow for one is not kept for all"
    gevent.joinall(hanging, timeout=PATIENCE, raise_error=True)
    assert len(names.asked) == 1


def test_a_place_is_waited_for_so_long_and_no_longer(names: SlowNames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.channels.http.names.WAIT_SECONDS", 0.2)
    transport, trust = HttpTransport(Tokens()), TrustedOrigins(tenant_id="one")
    assert [fetch(transport, f"https://n{n}{SLOW}/", trust, PATIENCE) for n in range(3)] == ["name_slow"] * 3
    assert len(names.asked) == 1


def test_an_answer_is_remembered_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    transport, asked = HttpTransport(Tokens()), []
    with resolving(["127.0.0.1"]) as server:
        for seconds in (60.0, 60.0, -1.0):
            if seconds < 0:
                strangers.forget()
            monkeypatch.setattr("relay.channels.http.names.KEPT_SECONDS", seconds)
            assert fetch(transport, "https://files.shop.example/", TrustedOrigins(), PATIENCE) == "address_refused"
            asked.append(server.asked)
        fetch(transport, "https://files.shop.example/", TrustedOrigins(), PATIENCE)
        asked.append(server.asked)
    assert asked == [1, 1, 2, 3]


def fetch(transport: HttpTransport, url: str, trust: TrustedOrigins, seconds: float = SHORT) -> str:
    try:
        with transport.download(url, trust, time.monotonic() + seconds):
            return "had"
    except SendError as error:
        return error.code
