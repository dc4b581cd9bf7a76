"""Where the relay may connect to, and where a bearer may go: the guard against SSRF and leaks.

The origins of META_GRAPH_URL, GENESYS_LOGIN_URL and GENESYS_API_URL are the provider's own:
plain http, loopback and any port are allowed there. Everywhere else: https at port 443, and addresses of the open
internet only.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from relay.core.errors import SendError
from relay.core.languages import phrase

HTTPS = 443
_PORTS = {"http": 80, "https": HTTPS}
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""The translator that a network without IPv4 has. What stands behind is the IPv4 address in the last 32 bits."""
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is routed between networks: neither site-local (fec0::/10) nor what embeds IPv4 is in it."""
# Not left to the library alone, whose list differs from one Python to the next.
_NEVER = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own; one cloud's metadata is here
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, at an address that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; one cloud's metadata is here
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # Teredo, benchmarking, ORCHID and other protocols' own
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",
    )
)


class Origin(NamedTuple):
    """Scheme, host and port: what decides about trust and pooling."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TrustedOrigins:
    """What belongs to one provider. A host that begins with a dot stands for all below it.

    `named`: whose hosts they are was said by a tenant, and nothing else is known of them. `tenant_id`: for whom they
    are called, "" for the operator: names that strangers chose are resolved few at once of each.
    """

    own: frozenset[Origin] = frozenset()
    hosts: tuple[str, ...] = ()
    named: bool = False
    tenant_id: str = ""

    def admit(self, url: str) -> Origin:
        """The URL's origin, if the relay may call it. Raises SendError (refused)."""
        origin = origin_of(url)
        if origin not in self.own and not is_https(origin):
            raise SendError("refused", "url_refused", phrase("only https at port 443 is allowed there"))
        return origin

    def takes_bearer(self, origin: Origin) -> bool:
        """True for the provider's own hosts: nobody else is shown a token."""
        return origin in self.own or (
            origin.scheme == "https" and any(_matches(origin.host, host) for host in self.hosts)
        )

    def knows(self, origin: Origin) -> bool:
        """True where the name of the host is not a stranger's choice."""
        return origin in self.own or (self.takes_bearer(origin) and not self.named)

    def may_connect(self, origin: Origin, address: str) -> bool:
        """Asked about the very address that is connected to, so that DNS cannot be rebound."""
        return origin in self.own or is_public(address)


def origin_of(url: str) -> Origin:
    """The origin of an absolute http(s) URL. Raises SendError (refused) for anything else."""
    try:
        parts = urlsplit(url)
        host = _host(parts.hostname or "")
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
        if not port or "@" in parts.netloc or any(c.isspace() or ord(c) < 32 for c in url):
            raise ValueError
    except (KeyError, ValueError, TypeError, AttributeError):
        raise SendError("refused", "url_refused", phrase("not a usable http(s) address")) from None
    return Origin(parts.scheme, host, port)


def is_https(origin: Origin) -> bool:
    """True for https where it belongs: at other ports there are other people's databases and consoles."""
    return origin.scheme == "https" and origin.port == HTTPS


def own_origins(*urls: str | None) -> frozenset[Origin]:
    """The origins of the configured provider addresses."""
    return frozenset(origin_of(url) for url in urls if url)


def is_public(address: str) -> bool:
    """True for an address of the open internet. One that only holds such an address is not: it may lead elsewhere."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    if isinstance(found, ipaddress.IPv6Address) and (found.scope_id or found not in _UNICAST):
        return False
    return found.is_global and not any(found in network for network in _NEVER)


def _host(given: str) -> str:
    """The host in its wire form. Raises ValueError for one that two programs could read as two different hosts."""
    if "%" in given:  # a zone of this machine's own
        raise ValueError
    if ":" in given:
        return str(ipaddress.IPv6Address(given))
    host = given.encode("idna").decode("ascii").lower().removesuffix(".")
    if not host or not set(host) <= _HOST:
        raise ValueError
    if host.rpartition(".")[2][:1].isdigit():  # 127.1, 0x7f.1 and 2130706433 are addresses to some
        return str(ipaddress.IPv4Address(host))
    return host


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern) if pattern.startswith(".") else host == pattern
