"""A conversation's unfinished work, read in one transaction: what a waking actor starts from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from db.contacts import conversations
from db.mailbox import claims, messages
from db.pool import Pool
from db.prepared import Prepared
from relay.core.contacts.mapping import ConversationMapping
from relay.core.mailbox import Row, RowStatus
from relay.core.messages import Direction

OTHERS = Prepared(
    "other_unfinished",
    # The limit makes it look at each conversation by itself, whatever is known of the table.
    """SELECT c.id FROM unnest(%(conversations)s) c(id) CROSS JOIN LATERAL (
         SELECT 1 FROM message_tracking m
         WHERE m.conversation_id = c.id AND m.unfinished AND m.id <> ALL (%(known)s) LIMIT 1) other""",
    conversations="uuid[]", known="uuid[]",
)  # fmt: skip
REPORTS = 50
DIRECTIONS: tuple[Direction, Direction] = ("inbound", "outbound")


@dataclass(frozen=True, slots=True)
class UnfinishedRows:
    """`lanes` holds the beginning of each, one row more than asked for if there is more."""

    mapping: ConversationMapping | None
    lanes: dict[Direction, list[Row]]
    reports: list[RowStatus]


def others(cursor: Any, conversation_ids: Collection[str], known: Collection[str]) -> set[str]:
    """Which of the conversations have something unfinished beside the known messages."""
    if not conversation_ids:
        return set()
    OTHERS.run(cursor, conversations=conversation_ids, known=known)
    return {str(row[0]) for row in cursor.fetchall()}


def read(pool: Pool, conversation_id: str, limit: int) -> UnfinishedRows:
    """Up to `limit` + 1 rows per lane. Raises StoreError while PostgreSQL is away."""
    with pool.transaction() as cursor:
        return UnfinishedRows(
            conversations.read(cursor, conversation_id),
            {direction: messages.unfinished(cursor, conversation_id, direction, limit + 1) for direction in DIRECTIONS},
            claims.due_reports(cursor, conversation_id, REPORTS),
        )
