"""api_keys: what programs ask with. The key itself is shown once; here is only its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db import audit
from db.audit import By
from db.changes import NotFoundError
from db.messages import new_id
from db.pool import Pool

PREFIX = "wgr_"
SEEN_SECONDS = 60
COLUMNS = "id, tenant_id, name, hint, scopes, created_by, created_at, expires_at, last_used_at, revoked_at"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Without a tenant it is an operator's. `hint` is the key's beginning, to tell keys apart."""

    id: str
    tenant_id: str | None
    name: str
    hint: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def _key(row: Sequence[Any]) -> ApiKey:
    return ApiKey(str(row[0]), None if row[1] is None else str(row[1]), *row[2:])


def _hash(secret: str) -> bytes:
    # 256 bits from the system's generator: nothing that a slow hash would have to protect.
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def create(
    pool: Pool, by: By, tenant_id: str | None, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """The key's row, and the key itself, which nobody can look up again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    with pool.transaction() as cursor:
        cursor.execute(
            f"""INSERT INTO api_keys (id, tenant_id, name, secret_hash, hint, scopes, created_by, expires_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}""",
            (new_id(), tenant_id, name, _hash(secret), secret[:8], sorted(scopes), by.actor, expires_at),
        )
        key = _key(cursor.fetchone())
        detail = {"name": name, "scopes": key.scopes}
        audit.record(cursor, by, "key.created", tenant_id=tenant_id, subject=key.id, detail=detail)
    return key, secret


def by_secret(pool: Pool, secret: str) -> ApiKey | None:
    """The key that is valid now, and note that it was used (once a minute)."""
    if not secret.startswith(PREFIX):
        return None
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS}, last_used_at IS NULL OR last_used_at < now() - make_interval(secs => %s)
                FROM api_keys WHERE secret_hash = %s AND revoked_at IS NULL
                  AND (expires_at IS NULL OR expires_at > now())""",
            (SEEN_SECONDS, _hash(secret)),
        )
        row = cursor.fetchone()
        if row is not None and row[-1]:
            cursor.execute("UPDATE api_keys SET last_used_at = now() WHERE id = %s", (row[0],))
    return None if row is None else _key(row[:-1])


def get(pool: Pool, tenant_id: str | None, key_id: str) -> ApiKey | None:
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM api_keys WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s::uuid",
            (UUID(key_id), tenant_id),
        )
        row = cursor.fetchone()
    return _key(row) if row else None


def listed(pool: Pool, tenant_id: str | None, limit: int = 50, after: str | None = None) -> list[ApiKey]:
    """A tenant's keys, or the operator's own; by age, revoked ones included."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} FROM api_keys WHERE tenant_id IS NOT DISTINCT FROM %s::uuid
                AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s""",
            (tenant_id, after, after, limit),
        )
        return [_key(row) for row in cursor.fetchall()]


def revoke(pool: Pool, by: By, tenant_id: str | None, key_id: str) -> ApiKey:
    """From now on it admits nobody. Raises NotFoundError. Revoking again is fine."""
    with pool.transaction() as cursor:
        cursor.execute(
            f"""UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
                WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s::uuid RETURNING {COLUMNS}""",
            (UUID(key_id), tenant_id),
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("there is no such key")
        audit.record(cursor, by, "key.revoked", tenant_id=tenant_id, subject=key_id)
    return _key(row)
