"""tenants: the customer companies."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from db.audit import Author
from db.mailbox.messages import new_id
from db.pool import Pool
from db.tenants.changes import Changes, NotFoundError
from relay.core.languages import DEFAULT

TenantStatus = Literal["onboarding", "active", "paused"]
COLUMNS = "id, name, status, webhook_key, contact, created_at, updated_at, second_factor_demanded, language"


@dataclass(frozen=True, slots=True)
class Tenant:
    """`webhook_key` is the unguessable part of the tenant's own webhook URL, `contact` whom to ask there.

    `second_factor_demanded`: its people log in with a second factor or not at all.
    `language`: in which its people are written to who wish nothing else, and its agents.
    """

    id: str
    name: str
    status: TenantStatus
    webhook_key: str = field(repr=False)
    contact: str = field(repr=False)
    created_at: datetime
    updated_at: datetime
    second_factor_demanded: bool
    language: str


def _tenant(row: Sequence[Any]) -> Tenant:
    return Tenant(str(row[0]), *row[1:])


def create(changes: Changes, by: Author, name: str, contact: str = "", language: str = DEFAULT) -> Tenant:
    tenant_id = new_id()
    with changes.of(tenant_id, by, "tenant.created", subject=name) as cursor:
        cursor.execute(
            f"INSERT INTO tenants (id, name, webhook_key, contact, language) VALUES (%s, %s, %s, %s, %s) "
            f"RETURNING {COLUMNS}",
            (tenant_id, name, secrets.token_urlsafe(24), contact, language),
        )
        return _tenant(cursor.fetchone())


def get(pool: Pool, tenant_id: str) -> Tenant | None:
    """The tenant, or None when there is none (or the id is not a UUID)."""
    try:
        key = UUID(tenant_id)
    except ValueError:
        return None
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM tenants WHERE id = %s", (key,))
        row = cursor.fetchone()
    return _tenant(row) if row else None


def by_webhook_key(pool: Pool, webhook_key: str) -> Tenant | None:
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM tenants WHERE webhook_key = %s", (webhook_key,))
        row = cursor.fetchone()
    return _tenant(row) if row else None


def named(pool: Pool, name: str) -> list[Tenant]:
    """The oldest two of those that are called so: names need not be unique."""
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM tenants WHERE name = %s ORDER BY id LIMIT 2", (name,))
        return [_tenant(row) for row in cursor.fetchall()]


def listed(pool: Pool, limit: int = 50, after: str | None = None) -> list[Tenant]:
    """By age (the ids are time-ordered), starting after the tenant `after`."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM tenants WHERE %s::uuid IS NULL OR id > %s::uuid ORDER BY id LIMIT %s",
            (after, after, limit),
        )
        return [_tenant(row) for row in cursor.fetchall()]


def set_status(changes: Changes, by: Author, tenant_id: str, status: TenantStatus) -> Tenant:
    """Raises NotFoundError. Setting what is set already is fine."""
    return _change(changes, by, tenant_id, f"tenant.{status}", "status = %s", status)


def rename(changes: Changes, by: Author, tenant_id: str, name: str, contact: str) -> Tenant:
    """Name and contact. Raises NotFoundError."""
    return _change(changes, by, tenant_id, "tenant.renamed", "name = %s, contact = %s", name, contact, subject=name)


def set_language(changes: Changes, by: Author, tenant_id: str, language: str) -> Tenant:
    """In which language the tenant is written to. Raises NotFoundError."""
    return _change(changes, by, tenant_id, "tenant.language", "language = %s", language, subject=language)


def demand_second_factor(changes: Changes, by: Author, tenant_id: str, demanded: bool) -> Tenant:
    """Whether all of the tenant's people need one. Raises NotFoundError."""
    action = "tenant.second_factor_demanded" if demanded else "tenant.second_factor_optional"
    return _change(changes, by, tenant_id, action, "second_factor_demanded = %s", demanded)


def _change(
    changes: Changes, by: Author, tenant_id: str, action: str, columns: str, *values: object, subject: str = ""
) -> Tenant:
    """`columns` as UPDATE sets them, with a place for each of the values."""
    with changes.of(tenant_id, by, action, subject=subject) as cursor:
        cursor.execute(
            f"UPDATE tenants SET {columns}, updated_at = now() WHERE id = %s RETURNING {COLUMNS}",
            (*values, tenant_id),
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("there is no such tenant")
    return _tenant(row)
