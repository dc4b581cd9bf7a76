"""Ports of this machine that nobody listens on."""

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that was free a moment ago; the system does not hand the same one out twice in a row."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
