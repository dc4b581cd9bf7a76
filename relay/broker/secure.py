"""Kombu's connection to a broker, verified where it goes by TLS: left to itself py-amqp accepts any certificate."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from kombu import Connection

TLS = "ssl_"
"""So begins what an URL says of TLS, for RabbitMQ as for Redis: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`."""


def connection(url: str, **options: Any) -> Connection:
    """Not connected yet. By amqps:// the certificate must be valid, and be made out to the host that the URL names."""
    if not url.startswith("amqps://"):
        return Connection(url, **options)  # Kombu reads by itself what an URL of Redis says of TLS
    parts = urlsplit(url)
    said = dict(parse_qsl(parts.query))
    tls: dict[str, Any] = {name.removeprefix(TLS): value for name, value in said.items() if name.startswith(TLS)}
    tls.pop("check_hostname", None)  # py-amqp checks whatever name it is given
    tls |= {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname}
    rest = urlencode({name: value for name, value in said.items() if not name.startswith(TLS)})
    return Connection(url.partition("?")[0] + (f"?{rest}" if rest else ""), ssl=tls, **options)
