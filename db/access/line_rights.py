"""The lines that a person or a key is for. What they see and do is limited by PostgreSQL (`Pool.of_tenant`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from db.cursor import Cursor
from db.tenants.changes import NotFoundError

LineIds = Collection[str] | None
"""None: all lines of the tenant, and what is the tenant's as a whole."""


def of_row(found: Iterable[UUID] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(str(one) for one in found)


def checked(cursor: Cursor, tenant_id: str | None, line_ids: LineIds, user_id: str | None = None) -> list[str] | None:
    """As they are kept: each once, in order. Raises NotFoundError where one is not a line of the tenant.

    What the user has already may be gone meanwhile: that must not keep anybody from shutting them out.
    """
    if line_ids is None:
        return None
    wanted = sorted({str(UUID(one)) for one in line_ids})
    cursor.execute(
        """SELECT count(*) FROM unnest(%s::uuid[]) w (id)
           WHERE EXISTS (SELECT 1 FROM lines WHERE tenant_id = %s AND id = w.id)
             OR EXISTS (SELECT 1 FROM users WHERE tenant_id = %s AND id = %s::uuid AND w.id = ANY(line_ids))""",
        (wanted, tenant_id, tenant_id, user_id),
    )
    if cursor.fetchone()[0] < len(wanted):
        raise NotFoundError("there is no such line")
    return wanted


def told(line_ids: LineIds) -> dict[str, Any]:
    """For the audit log, where there is something to tell."""
    return {} if line_ids is None else {"lines": list(line_ids)}
