"""A name server of the tests' own: real DNS over UDP, whose answers change as an attacker's do."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.resolver.ares import Resolver
from gevent.server import DatagramServer

from demo.stack.ports import HOST
from relay.channels.http.names import strangers

TYPES = {1: 4, 28: 6}
"""A and AAAA, by number, and the version of the address they hold."""


class NameServer(DatagramServer):
    """Answers whatever name is asked for. Each round of `rounds` is a list of addresses; the last one stays."""

    def __init__(self, rounds: Sequence[Sequence[str]]) -> None:
        super().__init__((HOST, 0))
        self._rounds = {version: [_of(version, one) for one in rounds] for version in TYPES.values()}
        self.asked = 0

    def handle(self, data: bytes, client: Any) -> None:
        end = data.index(b"\0", 12) + 5
        kind = struct.unpack("!H", data[end - 4 : end - 2])[0]
        addresses = self._next(TYPES.get(kind, 0))
        head = data[:2] + struct.pack("!HHHHH", 0x8580, 1, len(addresses), 0, 0)
        # The name is pointed to, class IN, and to be forgotten at once.
        records = [struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(one)) + one for one in addresses]
        self.socket.sendto(head + data[12:end] + b"".join(records), client)

    def _next(self, version: int) -> list[bytes]:
        self.asked += version == 4
        rounds = self._rounds.get(version, [[]])
        return rounds.pop(0) if len(rounds) > 1 else rounds[0]


@contextmanager
def resolving(*rounds: Sequence[str]) -> Iterator[NameServer]:
    """Within the context this process resolves names by such a server alone, as gevent's own setting would have it."""
    server = NameServer(rounds)
    server.start()
    strangers.forget()
    hub = gevent.get_hub()
    before, hub.resolver = hub.resolver, Resolver(hub, servers=[HOST], udp_port=server.server_port, flags=0)
    try:
        yield server
    finally:
        hub.resolver.close()
        hub.resolver = before
        strangers.forget()
        server.stop()


def _of(version: int, addresses: Sequence[str]) -> list[bytes]:
    return [found.packed for found in map(ipaddress.ip_address, addresses) if found.version == version]
