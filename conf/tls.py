"""By which certificates the servers behind us are verified, and which of their URLs ask for it.

A URL is completed once, when the settings are read, so that whoever opens it verifies: libpq, redis-py and Kombu each
have a laxer default of their own.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from urllib.parse import parse_qs, quote, urlsplit

import certifi
from psycopg2.extensions import parse_dsn

PLAIN = "leads beyond this machine without TLS"
UNVERIFIED = "leads beyond this machine without verifying who answers"
LEADS_TO = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "service": "PGSERVICE"}
"""What decides whom a URL of PostgreSQL leads to, each with the variable of its library."""
VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}
"""What redis-py and Kombu call it, in a URL."""


def ca_file(value: str) -> str:
    """A check for TLS_CA_FILE: a file of certificates in PEM."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except ssl.SSLError:
        raise ValueError("names a file that holds no certificate in PEM form") from None
    except OSError:
        raise ValueError("names a file that cannot be read") from None
    return value


def authorities(given: str | None) -> str:
    """The file of the authorities that count: TLS_CA_FILE, OpenSSL's own SSL_CERT_FILE, else the public ones."""
    return given or os.environ.get("SSL_CERT_FILE") or certifi.where()


def completed(url: str, given: str | None) -> str:
    """The URL with what it needs to verify, as far as it asks for TLS at all. What it says itself stays."""
    if url.startswith(("rediss://", "amqps://")):
        return _with(url, VERIFIED | {"ssl_ca_certs": authorities(given)})
    if url.startswith(("postgresql://", "postgres://")) and _sslmode(url).startswith("verify-"):
        return _with(url, {"sslrootcert": authorities(given)})
    return url


def database_trouble(url: str) -> str | None:
    """Why this way to PostgreSQL is not safe beyond this machine; None where it is."""
    parts = parse_dsn(url)
    # What the URL leaves open, PostgreSQL's library takes from the environment.
    named = ",".join(str(parts.get(name) or os.environ.get(variable, "")) for name, variable in LEADS_TO.items())
    if all(is_here(host) for host in named.split(",")) or _sslmode(url) == "verify-full":
        return None
    return UNVERIFIED if _sslmode(url) in ("require", "verify-ca") else PLAIN


def url_trouble(url: str) -> str | None:
    """The same for a URL of Redis or RabbitMQ."""
    parts = urlsplit(url)
    if parts.scheme == "unix" or is_here(parts.hostname or ""):
        return None
    if parts.scheme not in ("rediss", "amqps"):
        return PLAIN
    said = parse_qs(parts.query)
    # Said twice, redis-py takes the first and Kombu the last: each has to be right.
    lax = any(given.lower() != value for name, value in VERIFIED.items() for given in said.get(name, ()))
    return UNVERIFIED if lax else None


def is_here(host: str) -> bool:
    """Whether it is this machine: loopback, a socket's path, or nothing at all, which means one of these."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(endpoint: str) -> str:
    """The host of `host:port`."""
    return urlsplit(f"//{endpoint}").hostname or ""


def _sslmode(url: str) -> str:
    return str(parse_dsn(url).get("sslmode", ""))


def _with(url: str, parameters: Mapping[str, str]) -> str:
    said = parse_qs(urlsplit(url).query, keep_blank_values=True)
    added = "&".join(f"{name}={quote(value, safe='/')}" for name, value in parameters.items() if name not in said)
    return f"{url}{'&' if '?' in url else '?'}{added}" if added else url
