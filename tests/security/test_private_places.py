"""Nobody makes the relay call a place that only the relay can reach: by address, name or port, or by changing DNS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gevent
import gevent.socket
import pytest

from relay.channels.http.client import HttpTransport
from relay.channels.http.names import strangers
from relay.channels.http.origins import TrustedOrigins, is_public, origin_of, own_origins
from relay.core.errors import SendError
from tests.security.names import resolving
from tests.unit.relay.channels.servers import answer, serving

PUBLIC = "8.8.8.8"
PRIVATE = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "168.63.129.16",
    "169.254.169.254", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::808:808", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "3fff::1",
    "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2a00:1450::1%eth0", "fec0::1",
    "ff02::1",
)  # fmt: skip
OPEN = (
    "8.8.8.8",
    "1.1.1.1",
    "192.0.1.1",
    "198.20.0.1",
    "2a00:1450:4001:81b::200e",
    "2001:4860:4860::8888",
    "64:ff9b::808:808",
)


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    made = HttpTransport(tokens=None)  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where connections were tried by the test. The open internet is no part of it: it refuses."""
    tried: list[Any] = []
    own, really = gevent.getcurrent(), gevent.socket.socket.connect

    def connect(sock: Any, address: Any) -> None:
        if gevent.getcurrent() is not own:  # what another module has left at work goes where it wants
            return really(sock, address)
        tried.append(address[:2])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(gevent.socket.socket, "connect", connect)
    return tried


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_counts_as_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OPEN)
def test_the_open_internet_does(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0x7f.1/",
        "https://127.0.0.1./", "https://127.0.0.1%2e/", "https://①②⑦.⓪.⓪.①/", "https://localhost/", "https://LOCALHOST./",
        "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25lo]/",
        "https://user@8.8.8.8/", "https://@8.8.8.8/", "https://8.8.8.8:pass@127.0.0.1/", "https://8.8.8.8\\@127.0.0.1/",
        "https://8.8.8.8:22/", "https://8.8.8.8:0/", "https://8.8.8.8:80/", "https://8.8.8.8:8443/", "https://8.8.8.8:x/",
        "https://a..b/", "https://a,b/", "https://a%00.b/", "https://127.0.0.1\t/", "http://8.8.8.8/",
        "https:/8.8.8.8/",
    ],
)  # fmt: skip
def test_no_way_of_writing_leads_past_the_check(transport: HttpTransport, connected: list[Any], url: str) -> None:
    error = _refused(transport, url)
    assert (error.fate, connected) == ("refused", [])


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["::1"], ["10.1.2.3", "fd00::1"], ["64:ff9b:1::7f00:1"]])
def test_no_name_leads_to_a_private_address(transport: HttpTransport, connected: list[Any], answers: list[str]) -> None:
    with resolving(answers) as server:
        error = _refused(transport, "https://files.rebind.example/a")
    assert (error.code, connected) == ("address_refused", [])
    assert server.asked


def test_of_several_addresses_only_the_public_one_is_called(transport: HttpTransport, connected: list[Any]) -> None:
    with resolving(["127.0.0.1", PUBLIC, "169.254.169.254"]):
        assert _refused(transport, "https://files.rebind.example/a").code == "connect_failed"
    assert connected == [(PUBLIC, 443)]


def test_what_is_called_is_the_address_that_was_checked(transport: HttpTransport, connected: list[Any]) -> None:
    """The name is public when it is asked for first, and this machine's own ever after."""
    with resolving([PUBLIC], ["127.0.0.1"]) as server:
        assert _refused(transport, "https://files.rebind.example/a").code == "connect_failed"
        assert (connected, server.asked) == ([(PUBLIC, 443)], 1)
        strangers.forget()  # as if its time were over
        assert _refused(transport, "https://files.rebind.example/a").code == "address_refused"
        assert (connected, server.asked) == ([(PUBLIC, 443)], 2)


def test_a_redirect_is_looked_at_like_any_address(transport: HttpTransport) -> None:
    with resolving(["127.0.0.1"]) as server:
        target = "https://files.rebind.example/admin"
        with serving(lambda _, sock, __: answer(sock, b"", 302, Location=target)) as served:
            error = _refused(transport, served.url, TrustedOrigins(own_origins(served.url)))
    assert (error.code, server.asked) == ("address_refused", 1)


def test_a_stand_in_is_trusted_at_its_own_port_alone() -> None:
    trust = TrustedOrigins(own_origins("http://127.0.0.1:8090/graph", "https://stand-in.example:8443"))
    assert trust.admit("https://stand-in.example:8443/x") == origin_of("https://stand-in.example:8443")
    for url in ("http://127.0.0.1:8091/", "https://127.0.0.1:8090/", "https://stand-in.example:8444/"):
        with pytest.raises(SendError):
            trust.admit(url)


def _refused(transport: HttpTransport, url: str, trust: TrustedOrigins | None = None) -> SendError:
    with pytest.raises(SendError) as caught, transport.download(url, trust or TrustedOrigins(), time.monotonic() + 20):
        pass
    return caught.value
