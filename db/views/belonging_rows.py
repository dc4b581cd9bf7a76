"""A tenant's rows of any table, slice by slice in the order of the primary key: for the export of the whole tenant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.mailbox.raw_payloads import unpacked
from db.pool import Pool
from db.tenants.belongings import Belonging
from relay.core.redaction import redacted

SLICE = 250
PAYLOADS = {"payload", "raw_payload"}
"""What providers wrote: without secrets, as it is shown elsewhere."""
SECONDS = 60.0


def after(pool: Pool, one: Belonging, tenant_id: str, last: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """The next rows beyond the key `last` (empty: from the first), without hidden columns; and the key of the last.

    Raw payloads come unpacked, under the name of the column in which they stand.
    """
    key = ", ".join(one.key)
    beyond = f"AND ({key}) > ({', '.join(['%s'] * len(last))})" if last else ""
    shown = ", ".join(f"{name}::text AS key_{place}" for place, name in enumerate(one.key))
    with pool.transaction(SECONDS) as cursor:
        whose = one.whose.replace("%(tenant)s", _literal(tenant_id))
        cursor.execute(
            f"SELECT *, {shown} FROM {one.table} WHERE ({whose}) {beyond} ORDER BY {key} LIMIT {SLICE}", tuple(last)
        )
        rows = cursor.dicts()
    reached = [str(rows[-1][f"key_{place}"]) for place in range(len(one.key))] if rows else []
    return [_shown(one, row) for row in rows], reached


def _literal(tenant_id: str) -> str:
    """Nothing but a UUID gets into the statement."""
    return f"'{UUID(tenant_id)}'"


def _shown(one: Belonging, row: dict[str, Any]) -> dict[str, Any]:
    unwanted = {*one.hidden, *(f"key_{place}" for place in range(len(one.key)))}
    found = {name: value for name, value in row.items() if name not in unwanted}
    if found.get("raw_payload") is not None:
        found["raw_payload"] = unpacked(found["raw_payload"])
    return {name: redacted(value) if name in PAYLOADS else value for name, value in found.items()}
