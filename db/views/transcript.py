"""The messages of a conversation from its first to its last. Read only, not on a message's path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from db.paging import Page, decode, page
from db.pool import Pool
from db.views.history import COLUMNS, tracked
from relay.core.explain.steps import Tracked

SLICE = 500
_PLACE = (datetime, datetime, int, int)


def messages(pool: Pool, tenant_id: str, conversation_id: str) -> Iterator[Tracked]:
    """All of them, read in slices: no connection is held while whoever reads is slow. Raises StoreError."""
    after: str | None = None
    while True:
        found = part(pool, tenant_id, conversation_id, after, SLICE)
        yield from found.items
        if found.next is None:
            return
        after = found.next


def part(pool: Pool, tenant_id: str, conversation_id: str, after: str | None, limit: int) -> Page[Tracked]:
    """Those behind `after`, the `next` of an earlier part. Raises CursorError, StoreError."""
    place: list[Any] = decode(after, *_PLACE) if after is not None else []
    beyond = "AND (m.sort_time, m.arrived_at, m.idx, m.seq) > (%s, %s, %s, %s)" if place else ""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} FROM message_tracking m WHERE m.conversation_id = %s AND m.tenant_id = %s {beyond}
                ORDER BY m.sort_time, m.arrived_at, m.idx, m.seq LIMIT %s""",
            (UUID(conversation_id), UUID(tenant_id), *place, limit + 1),
        )
        rows = [tracked(row) for row in cursor.dicts()]
    return page(rows, limit, lambda one: (one.sort_time, one.arrived_at, one.idx, one.seq))
