"""Who the conversations of a list are with: names beside messages, for people. Read only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from db.pool import Pool


@dataclass(frozen=True, slots=True)
class Contact:
    """A person on a line, as far as the provider has told."""

    conversation_id: str
    name: str | None = field(repr=False)
    wa_id: str | None = field(repr=False)
    bsuid: str | None = field(repr=False)
    username: str | None = field(repr=False)


def named(pool: Pool, conversation_ids: Iterable[str]) -> dict[str, Contact]:
    """By conversation; give it one page of a list."""
    wanted = sorted(set(conversation_ids))
    if not wanted:
        return {}
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT id, name, wa_id, bsuid, username FROM conversation_mappings WHERE id = ANY(%s)",
            ([UUID(one) for one in wanted],),
        )
        return {str(row[0]): Contact(str(row[0]), *row[1:]) for row in cursor.fetchall()}
