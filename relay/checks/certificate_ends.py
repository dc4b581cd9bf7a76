"""When the certificates of the servers that this installation depends on end. Looked at, and not judged.

Whether one is accepted is seen by every call; here an expired one has to be read, too, so nothing is verified.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509

SECONDS = 5.0
PORTS = {"https": 443, "amqps": 5671, "rediss": 6379, "postgresql": 5432, "postgres": 5432}
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""PostgreSQL begins in clear: its protocol's SSLRequest, answered with one byte."""


@dataclass(frozen=True, slots=True)
class TlsServer:
    """Somebody who shows us a certificate; `name` is what metrics call it."""

    name: str
    host: str
    port: int
    postgres: bool = False


def servers(urls: dict[str, str]) -> list[TlsServer]:
    """Those of the addresses that speak TLS. PostgreSQL's may: it is asked."""
    found = []
    for name, url in urls.items():
        parts = urlsplit(url)
        if parts.scheme in PORTS and parts.hostname:
            is_postgres = parts.scheme.startswith("postgres")
            found.append(TlsServer(name, parts.hostname, parts.port or PORTS[parts.scheme], is_postgres))
    return found


def ends_at(server: TlsServer) -> float | None:
    """In Unix seconds; None: it speaks no TLS. Raises OSError or ValueError where it cannot be read now."""
    with socket.create_connection((server.host, server.port), SECONDS) as plain:
        if server.postgres:
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                return None
        with _unverified().wrap_socket(plain, server_hostname=server.host) as shown:
            found = shown.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(found).not_valid_after_utc.timestamp() if found else None


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
