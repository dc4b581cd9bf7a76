"""Ports of this machine that nobody listens on."""

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody has, and that for a minute the system gives to nobody who asks for any.

    A connection that was closed on it lingers (TIME_WAIT): this keeps it from being handed out again, and keeps no
    server from it that listens with SO_REUSEADDR, as all of ours do.
    """
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, 0))
        server.listen()
        port = int(server.getsockname()[1])
        with socket.create_connection((HOST, port)) as client:
            server.accept()[0].close()
            client.recv(1)
    return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
