"""Secrets by reference: `env:NAME`, `file:/path`, or `kept`. A file that is shared and versioned never holds one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conf.settings import Settings
from relay.cli.applying import document
from relay.cli.applying.document import TenantDocument, TenantFileError

SECRET = frozenset(
    {"access_token", "app_secret", "verify_token", "client_secret", "webhook_secret", "conditions_webhook"}
)
"""The keys whose values are references."""
KEPT = "kept"
"""What the relay has stays as it is."""
FORMS = "write env:NAME, file:/path, or kept for what the relay has already; never the secret itself"
MOST_BYTES = 8_192


def found(doc: TenantDocument) -> Iterator[tuple[document.Path, str]]:
    """All references, with their places. Raises TenantFileError for a secret that stands in the file itself."""
    for path in list(doc.lines):
        if not path or path[-1] not in SECRET:
            continue
        given = at(doc.data, path)
        if given is None:
            continue
        if not isinstance(given, str) or not (given == KEPT or given.startswith(("env:", "file:"))):
            raise TenantFileError(f"line {doc.line(path)}: {path[-1]} is a secret: {FORMS}")
        yield path, given


def at(data: Any, path: document.Path) -> Any:
    for step in path:
        data = data[step]
    return data


def put(data: Any, path: document.Path, value: Any) -> None:
    at(data, path[:-1])[path[-1]] = value


def opened(reference: str, environment: Mapping[str, str] = os.environ) -> str:
    """What `env:` and `file:` lead to. Raises TenantFileError."""
    kind, _, where = reference.partition(":")
    secret = _of_environment(where, environment) if kind == "env" else _of_file(where)
    if not secret.strip():
        raise TenantFileError(f"{reference} is empty")
    return secret.strip()


def _of_environment(name: str, environment: Mapping[str, str]) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise TenantFileError("env: has to be followed by the name of an environment variable")
    if name.lower() in Settings.model_fields:
        # What a file's author may have as a tenant's token is told to a provider, and to whoever may read tokens.
        raise TenantFileError(f"{name} is the relay's own: no tenant is given it")
    if name not in environment:
        raise TenantFileError(f"the environment has no {name}")
    return environment[name]


def _of_file(where: str) -> str:
    path = Path(where)
    if not path.is_absolute():
        raise TenantFileError("file: has to be followed by a whole path, beginning with /")
    try:
        if not path.is_file():
            raise TenantFileError(f"{where} is no file")
        with path.open("rb") as file:  # a kernel's file says that it has no bytes, and goes on without end
            found = file.read(MOST_BYTES + 1)
        if len(found) > MOST_BYTES:
            raise TenantFileError(f"{where} is larger than {MOST_BYTES // 1024} KB")
        return found.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise TenantFileError(f"{where} cannot be read: {type(error).__name__}") from None
