"""audit_log: who changed what, when. Written in the transaction of the change; never holds a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import Json

from db.paging import Page, decode, page
from db.pool import Pool


@dataclass(frozen=True, slots=True)
class By:
    """Who asks for a change: an API key, a person, or the relay itself."""

    actor: str
    request_id: str | None = None


def record(
    cursor: Any,
    by: By,
    action: str,
    *,
    tenant_id: str | None = None,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line. `action` is `thing.verb`, `detail` names fields and ids, never values of secrets."""
    held = dict(detail or {})
    if by.request_id:
        held["request_id"] = by.request_id
    cursor.execute(
        "INSERT INTO audit_log (tenant_id, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s)",
        (tenant_id, by.actor, action, subject, Json(held)),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. Without a tenant it concerns the installation."""

    id: int
    at: datetime
    tenant_id: str | None
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def listed(pool: Pool, tenant_id: str | None, limit: int = 50, before: str | None = None) -> Page[Entry]:
    """The newest first; of one tenant, or of the whole installation. Raises CursorError."""
    condition, values = ("tenant_id = %s", [tenant_id]) if tenant_id is not None else ("true", [])
    if before is not None:
        condition, values = f"{condition} AND id < %s", [*values, *decode(before, int)]
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT id, at, tenant_id, actor, action, subject, detail FROM audit_log "
            f"WHERE {condition} ORDER BY id DESC LIMIT %s",
            (*values, limit + 1),
        )
        rows = [Entry(row[0], row[1], None if row[2] is None else str(row[2]), *row[3:]) for row in cursor.fetchall()]
    return page(rows, limit, lambda one: (one.id,))
