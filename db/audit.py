"""audit_log: who changed what, when. Written in the transaction of the change; never holds a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import Json

from db.pool import Pool


@dataclass(frozen=True, slots=True)
class By:
    """Who asks for a change: an API key, a person, or the relay itself."""

    actor: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


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


def recent(pool: Pool, tenant_id: str, limit: int = 50, before: int | None = None) -> list[Entry]:
    """A tenant's newest lines; `before` is the id to go on from."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT id, at, actor, action, subject, detail FROM audit_log
               WHERE tenant_id = %s AND (%s::bigint IS NULL OR id < %s::bigint) ORDER BY id DESC LIMIT %s""",
            (tenant_id, before, before, limit),
        )
        return [Entry(*row) for row in cursor.fetchall()]
