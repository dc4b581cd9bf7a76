"""How much one tenant may make of what stays: without an end, whoever may make one could fill a table."""

from __future__ import annotations

from typing import Literal

from db.cursor import Cursor
from db.tenants.changes import TakenError

MOST = {"users": 1_000, "api_keys": 10_000, "lines": 1_000}
"""Rows of each, those that ended included: the history of a tenant names them. The operator's own have no bound."""
WORDS = {"users": "users", "api_keys": "API keys", "lines": "lines"}


def make_room(cursor: Cursor, table: Literal["users", "api_keys", "lines"], tenant_id: str | None) -> None:
    """Before a row is made for a tenant. Raises TakenError when it has as many as anybody may."""
    if tenant_id is None:
        return
    cursor.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE tenant_id = %s LIMIT %s) held", (tenant_id, MOST[table])
    )
    if cursor.fetchone()[0] >= MOST[table]:
        words = WORDS[table]
        text = f"this tenant has {MOST[table]:,} {words}, those that ended included, and no more can be made"
        raise TakenError("too_many", text)
