"""audit_log: who changed what, when. Written in the transaction of the change; never holds a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg2.extras import Json

from db.access.lineage import Maker
from db.cursor import Cursor

BY_OPERATOR = "by_operator"
"""In a line's detail: somebody of the operator's was at work in this tenant."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who asks for a change: an API key, a person, or the relay itself. A key made by them hangs on `maker`; `agent`
    is a person's browser, `session_id` its session. `operator`: one of the operator's people or keys.
    """

    actor: str
    request_id: str | None = None
    maker: Maker = field(default=Maker(), repr=False)
    agent: str = ""
    session_id: str | None = None
    operator: bool = False


def record(
    cursor: Cursor,
    by: Author,
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
    if by.operator and tenant_id is not None:
        held[BY_OPERATOR] = True
    cursor.execute(
        "INSERT INTO audit_log (tenant_id, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s)",
        (tenant_id, by.actor, action, subject, Json(held)),
    )
