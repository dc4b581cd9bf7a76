"""What makes one setting's value acceptable, in plain words where it is not.

Pure functions, used by `conf.settings`. No message ever repeats the value: it may be a secret.
"""

import json
import re
from collections.abc import Callable
from email.utils import parseaddr
from importlib.util import find_spec
from typing import Literal, get_args
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.fernet import Fernet
from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

OPERATOR = "operator"
"""Who names an address that is no tenant's."""

WeaknessName = Literal[
    "demo-secrets",
    "default-passwords",
    "weak-secrets",
    "weak-encryption-key",
    "http-public-url",
    "http-files-url",
    "files-beside-portal",
    "plain-database",
    "plain-cache",
    "plain-broker",
    "plain-files",
    "http-login",
    "http-webhooks",
    "stand-ins",
]
WEAKNESSES: tuple[WeaknessName, ...] = get_args(WeaknessName)
"""What RELAY_INSECURE may name; `conf.profile` says what each is about."""

EXTRAS = {"tracing": "opentelemetry", "errors": "sentry_sdk"}
"""Of setup.cfg, each with a package that it brings."""
PLACEHOLDERS = ("change-me", "changeme", "change_me", "replace-me", "your-")
SHORTEST_SECRET = 32
"""Characters. Meta's app secrets have just so many."""
HOST_AND_PORT = re.compile(r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:\d+)?$")


def not_a_placeholder(value: str) -> str:
    """Refuse what was copied from example.env and never filled in."""
    text = value.lower()
    if any(placeholder in text for placeholder in PLACEHOLDERS):
        raise ValueError("still holds the placeholder of example.env; put your own value there")
    return value


def url(*schemes: str) -> Callable[[str], str]:
    """A check for a URL of one of these schemes. It stays as it is: the path `//` means something to a broker."""
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)

    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes:
            raise ValueError(f"must be a URL that starts with {wanted}")
        if value.count("://") > 1:  # Kombu would take it for a list of brokers
            raise ValueError("must be one URL")
        _check_port(parts.netloc)
        if not (parts.netloc or parts.path.strip("/") or parts.query):
            raise ValueError("names no host")
        return value

    return check


def installed(extra: str) -> Callable[[str], str]:
    """A check that what makes use of the value is there."""

    def check(value: str) -> str:
        if find_spec(EXTRAS[extra]) is None:
            raise ValueError(f"needs the extra `{extra}`: .ci/install .venv/bin/python {extra}")
        return value

    return check


def dsn(value: str) -> str:
    """A check for where errors are reported to, as servers of Sentry's protocol name it: https://key@host/project."""
    parts = urlsplit(installed("errors")(url("http", "https")(value)))
    if not (parts.username and parts.hostname and parts.path.rstrip("/").rpartition("/")[2].isdigit()):
        raise ValueError("must hold a key, a host and the number of a project: https://key@host/1")
    return value


def database_url(value: str) -> str:
    """A check for what PostgreSQL's own library can read: it knows which parameters there are."""
    value = url("postgresql", "postgres")(value)
    try:
        parse_dsn(value)
    except ProgrammingError:
        raise ValueError(
            "is not a URL that PostgreSQL's library can read: see its parameters, "
            "and write %25 for % and so on in the password"
        ) from None
    return value


def web_url(value: str) -> str:
    """A check for the base of other URLs: http or https, a host, nothing after the path, no slash at the end."""
    value = url("http", "https")(value).rstrip("/")
    parts = urlsplit(value)
    if not parts.hostname:
        raise ValueError("names no host")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must hold scheme, host, port and path only")
    return value


def origin(value: str) -> str:
    """A check for one entry of CORS_ORIGINS: scheme and host, as a browser names the page that asks."""
    parts = urlsplit(web_url(value))
    if parts.path or "*" in value:
        raise ValueError("must hold scheme, host and port only; every origin is named, there is no *")
    return value.rstrip("/").lower()


def private_origin(value: str) -> str:
    """A check for one entry of ENDPOINT_PRIVATE_ORIGINS: whose it is, an equals sign, the origin."""
    owner, _, url = value.partition("=")
    owner = owner.strip().lower()
    if "://" in owner or not url:
        raise ValueError("must say whose it is: <tenant id>=https://host, or operator=https://host")
    if owner != OPERATOR:
        try:
            owner = str(UUID(owner))
        except ValueError:
            raise ValueError("must begin with a tenant's id, or with operator") from None
    return f"{owner}={origin(url.strip())}"


def issuer(value: str) -> str:
    """A check for an OpenID issuer. It stays as it is: issuers are compared letter by letter."""
    web_url(value)
    return value


def roles(value: object) -> object:
    """A check for OIDC_ROLES: a JSON object that gives each value of the claim `operator`, or `admin:<tenant id>`."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        raise ValueError("must be a JSON object, in single quotes where a shell reads it") from None
    if not isinstance(found, dict) or not all(isinstance(one, str) and _is_role(one) for one in found.values()):
        raise ValueError("must give each value of the claim operator, admin:<tenant id> or viewer:<tenant id>")
    return found


def days(value: str) -> str:
    """A check for each part of RETENTION_DAYS and RETENTION_MOST_DAYS."""
    if not re.fullmatch(r"[a-z]+:[0-9]{1,5}", value):
        raise ValueError("must be like contents:365,media:90")
    return value


def _is_role(text: str) -> bool:
    role, _, tenant = text.partition(":")
    try:
        return text == "operator" or (role in ("admin", "viewer") and str(UUID(tenant)) == tenant)
    except ValueError:
        return False


def host_and_port(value: str) -> str:
    """A check for `host:port`, as the S3 client wants it."""
    if "://" in value:
        raise ValueError("must be host:port without http:// (MINIO_SECURE says whether it is https)")
    if not HOST_AND_PORT.match(value):
        raise ValueError("must be host:port")
    _check_port(value)
    return value


def mail_address(value: str) -> str:
    """A check for MAIL_FROM: an address, with or without a name before it."""
    name, address = parseaddr(value)
    if value and (not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not value.isprintable() or len(name) > 100):
        raise ValueError("must be an e-mail address, such as Relay <relay@your.domain>")
    return value


def fernet_key(value: str) -> str:
    """A check for one key of CREDENTIALS_KEYS."""
    try:
        Fernet(value)
    except ValueError:
        raise ValueError("holds a key that is not 32 bytes in url-safe base64 (44 characters)") from None
    return value


def at_least(length: int) -> Callable[[str], str]:
    """A check for a secret that must not be guessed; shorter ones nobody may admit. What is asked for is more."""

    def check(value: str) -> str:
        if len(value) < length:
            raise ValueError(f"is too short to be a secret: {SHORTEST_SECRET} characters at least")
        return value

    return check


def _check_port(netloc: str) -> None:
    after_host = netloc.rpartition("@")[2].rpartition("]")[2]
    port = after_host.partition(":")[2]
    if port and not (port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("has a port that is not a number from 1 to 65535")
