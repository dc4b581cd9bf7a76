"""endpoints: where a tenant wants to be told what happens. Each change has its line in the audit log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import structlog

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool
from db.resealing import reseal_column
from db.sealing import Cipher
from db.tenants.changes import NotFoundError

log = structlog.get_logger(__name__)

MOST = 5
"""Endpoints of a tenant. Each event is written once for each of them."""
OVERLAP_SECONDS = 24 * 3600
"""So long a secret that was replaced still signs beside the new one."""
COLUMNS = """e.id::text, e.tenant_id::text, e.url, e.name, e.kinds, e.contents, e.active, e.off_reason, e.created_at,
  e.trouble, CASE WHEN e.rests_until > now() THEN e.rests_until END AS rests_until"""


class TooManyEndpointsError(ValueError):
    """There are as many as a tenant may have. The text is for people."""


@dataclass(frozen=True, slots=True)
class TenantEndpoint:
    """`trouble`: why the last post failed, until one succeeds; `rests_until`: nobody posts before."""

    id: str
    tenant_id: str
    url: str
    name: str
    kinds: list[str]
    contents: bool
    active: bool
    off_reason: str | None
    created_at: datetime
    trouble: str | None
    rests_until: datetime | None


def create(
    pool: Pool,
    cipher: Cipher,
    by: Author,
    tenant_id: str,
    secret: str,
    *,
    url: str,
    name: str,
    kinds: Sequence[str],
    contents: bool,
) -> TenantEndpoint:
    """Active from the start. Raises TooManyEndpointsError."""
    endpoint_id = str(uuid4())
    with pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM tenants WHERE id = %s FOR UPDATE", (UUID(tenant_id),))
        cursor.execute("SELECT count(*) FROM endpoints WHERE tenant_id = %s", (UUID(tenant_id),))
        if cursor.fetchone()[0] >= MOST:
            raise TooManyEndpointsError(f"A tenant has {MOST} endpoints at most. Delete one first.")
        cursor.execute(
            """INSERT INTO endpoints (id, tenant_id, url, name, kinds, contents, sealed)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            (UUID(endpoint_id), UUID(tenant_id), url, name, list(kinds), contents, _sealed(cipher, secret)),
        )
        _record(cursor, by, "endpoint.created", tenant_id, endpoint_id, _shown(url, kinds, contents))
        return _read(cursor, tenant_id, endpoint_id)


def change(pool: Pool, by: Author, tenant_id: str, endpoint_id: str, values: Mapping[str, Any]) -> TenantEndpoint:
    """`values`: any of url, name, kinds, contents, active. Raises NotFoundError.

    Switched on, or with another address, it is tried at once.
    """
    allowed = {name: values[name] for name in ("url", "name", "kinds", "contents", "active") if name in values}
    with pool.transaction() as cursor:
        before = _read(cursor, tenant_id, endpoint_id)
        sets = "".join(f"{name} = %({name})s, " for name in allowed)
        fresh = (
            "off_reason = NULL, troubles = 0, rests_until = '-infinity', " if {"url", "active"} & set(allowed) else ""
        )
        cursor.execute(
            f"UPDATE endpoints SET {sets}{fresh}updated_at = now() WHERE id = %(id)s AND tenant_id = %(tenant)s",
            {**allowed, "id": UUID(endpoint_id), "tenant": UUID(tenant_id)},
        )
        detail = {name: _host(value) if name == "url" else value for name, value in allowed.items()}
        _record(cursor, by, "endpoint.changed", tenant_id, endpoint_id, detail | {"was": _host(before.url)})
        return _read(cursor, tenant_id, endpoint_id)


def rotate(pool: Pool, cipher: Cipher, by: Author, tenant_id: str, endpoint_id: str, secret: str) -> datetime:
    """From now on `secret` signs, and the former one beside it until the time returned. Raises NotFoundError.

    One that was replaced before that ends: two sign at most.
    """
    until = time.time() + OVERLAP_SECONDS
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT sealed FROM endpoints WHERE id = %s AND tenant_id = %s FOR UPDATE",
            (UUID(endpoint_id), UUID(tenant_id)),
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("there is no such endpoint")
        former = cipher.open(row[0])["secret"]
        cursor.execute(
            "UPDATE endpoints SET sealed = %s, updated_at = now() WHERE id = %s",
            (_sealed(cipher, secret, former, until), UUID(endpoint_id)),
        )
        _record(cursor, by, "endpoint.secret_rotated", tenant_id, endpoint_id, {})
    return datetime.fromtimestamp(until).astimezone()


def delete(pool: Pool, by: Author, tenant_id: str, endpoint_id: str) -> None:
    """What it was still to be told ends with its day. Raises NotFoundError."""
    with pool.transaction() as cursor:
        before = _read(cursor, tenant_id, endpoint_id)
        cursor.execute("DELETE FROM endpoints WHERE id = %s", (UUID(endpoint_id),))
        _record(cursor, by, "endpoint.deleted", tenant_id, endpoint_id, {"host": _host(before.url)})


def listed(pool: Pool, tenant_id: str) -> list[TenantEndpoint]:
    """The oldest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM endpoints e WHERE e.tenant_id = %s ORDER BY e.created_at, e.id", (UUID(tenant_id),)
        )
        return cursor.all(TenantEndpoint)


def get(pool: Pool, tenant_id: str, endpoint_id: str) -> TenantEndpoint:
    """Raises NotFoundError."""
    with pool.transaction() as cursor:
        return _read(cursor, tenant_id, endpoint_id)


def secrets_of(cipher: Cipher, sealed: str, now: float) -> tuple[str, ...]:
    """Those that sign now, the newest first. Raises SealError."""
    held = cipher.open(sealed)
    former = [held["former"]] if held.get("former") and held["until"] > now else []
    return (held["secret"], *former)


def reseal(pool: Pool, cipher: Cipher) -> int:
    """Bring all secrets under the newest key. Returns how many; what no key opens any more stays as it is."""

    def lost(row: str) -> None:
        log.warning("secret of an endpoint cannot be opened any more", endpoint_id=row)

    return reseal_column(pool, cipher, "endpoints", lost)


def _sealed(cipher: Cipher, secret: str, former: str | None = None, until: float = 0.0) -> str:
    return cipher.seal({"secret": secret, "former": former, "until": until})


def _read(cursor: Cursor, tenant_id: str, endpoint_id: str) -> TenantEndpoint:
    cursor.execute(
        f"SELECT {COLUMNS} FROM endpoints e WHERE e.id = %s AND e.tenant_id = %s", (UUID(endpoint_id), UUID(tenant_id))
    )
    found = cursor.one(TenantEndpoint)
    if found is None:
        raise NotFoundError("there is no such endpoint")
    return found


def _record(
    cursor: Cursor, by: Author, action: str, tenant_id: str, endpoint_id: str, detail: Mapping[str, Any]
) -> None:
    audit.record(cursor, by, action, tenant_id=tenant_id, subject=endpoint_id, detail=detail)


def _shown(url: str, kinds: Sequence[str], contents: bool) -> dict[str, Any]:
    return {"host": _host(url), "kinds": list(kinds), "contents": contents}


def _host(url: str) -> str:
    """What of an address may stand in the audit log: its path may be as good as a password."""
    return urlsplit(url).netloc
