"""Whom a limit counts: an IPv4 address, or the /64 of an IPv6 address, which one customer of a provider gets."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

PREFIX = 64


def network_of(address: str | None) -> str:
    """`192.0.2.1`, or `2001:db8::/64`. An IPv4 address written as IPv6 counts as itself; what is no address as one."""
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found, PREFIX), strict=False))
