"""Where the relay may connect to, and where a bearer may go: the guard against SSRF and leaks.

The origins of META_GRAPH_URL, GENESYS_LOGIN_URL and GENESYS_API_URL are the provider's own:
plain http and loopback are allowed there. Everywhere else: https and public addresses only.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from relay.core.errors import SendError

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Origin(NamedTuple):
    """Scheme, host and port: what decides about trust and pooling."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Trust:
    """What belongs to one provider. A host that begins with a dot stands for all below it."""

    own: frozenset[Origin] = frozenset()
    hosts: tuple[str, ...] = ()

    def admit(self, url: str) -> Origin:
        """The URL's origin, if the relay may call it. Raises SendError (refused)."""
        origin = origin_of(url)
        if origin.scheme != "https" and origin not in self.own:
            raise SendError("refused", "url_refused", "only https is allowed there")
        return origin

    def takes_bearer(self, origin: Origin) -> bool:
        """True for the provider's own hosts: nobody else is shown a token."""
        return origin in self.own or (
            origin.scheme == "https" and any(_matches(origin.host, host) for host in self.hosts)
        )

    def may_connect(self, origin: Origin, address: str) -> bool:
        """Asked about the very address that is connected to, so that DNS cannot be rebound."""
        return origin in self.own or is_public(address)


def origin_of(url: str) -> Origin:
    """The origin of an absolute http(s) URL. Raises SendError (refused) for anything else."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii").lower().rstrip(".")
        port = parts.port or _PORTS[parts.scheme]
        if not host or parts.username is not None or any(c.isspace() or ord(c) < 32 for c in url):
            raise ValueError
    except (KeyError, ValueError, TypeError, AttributeError):
        raise SendError("refused", "url_refused", "not a usable http(s) address") from None
    return Origin(parts.scheme, host, port)


def own_origins(*urls: str | None) -> frozenset[Origin]:
    """The origins of the configured provider addresses."""
    return frozenset(origin_of(url) for url in urls if url)


def is_public(address: str) -> bool:
    """True for an address of the open internet; embedded IPv4 addresses are looked into."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None,))[0]
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast and not found.is_reserved


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern) if pattern.startswith(".") else host == pattern
