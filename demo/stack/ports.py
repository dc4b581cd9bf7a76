"""Ports of this machine: those that somebody chose, and those that nobody listens on."""

import errno
import socket
from dataclasses import dataclass

HOST = "127.0.0.1"
HOW_TO_CHOOSE = "Stop what listens there, or choose others, such as: make demo WEB_PORT=8001 SANDBOX_PORT=8091"


class WrongPorts(Exception):
    """Ports on which web, the sandbox or the daemon cannot listen; the message says how to choose others."""


@dataclass(frozen=True)
class Ports:
    """Where everything that is meant to be found listens; all of it on this machine only."""

    web: int
    sandbox: int
    metrics: int

    def check(self) -> None:
        """Raise WrongPorts, with all that is wrong, before anything is started."""
        named = {"WEB_PORT": self.web, "SANDBOX_PORT": self.sandbox, "METRICS_PORT": self.metrics}
        wrong = [f"Port {port} ({name}) {why}." for name, port in named.items() if (why := _problem(port))]
        if len(set(named.values())) < len(named):
            wrong.append(
                f"Each needs a port of its own: {', '.join(f'{name}={port}' for name, port in named.items())}."
            )
        if wrong:
            raise WrongPorts("\n".join([*wrong, HOW_TO_CHOOSE]))


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


def _problem(port: int) -> str:
    """Why nobody can listen there, in words; empty when one can."""
    if not 1 <= port <= 65535:
        return "is no port: there are 1 to 65535"
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
            server.listen()
        except OSError as error:
            return "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
    return ""
