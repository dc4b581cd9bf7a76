"""The unfinished work of conversations, of many at once: what a waking actor starts from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from db.contacts import conversations
from db.cursor import Cursor
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


def others(cursor: Cursor, conversation_ids: Collection[str], known: Collection[str]) -> set[str]:
    """Which of the conversations have something unfinished beside the known messages."""
    if not conversation_ids:
        return set()
    OTHERS.run(cursor, conversations=conversation_ids, known=known)
    return {str(row[0]) for row in cursor.fetchall()}


def read(pool: Pool, conversation_ids: Sequence[str], limit: int) -> dict[str, UnfinishedRows]:
    """Of each up to `limit` + 1 rows per lane. Raises StoreError while PostgreSQL is away."""
    with pool.autocommit() as cursor:
        mappings = conversations.read(cursor, conversation_ids)
        lanes = messages.unfinished(cursor, conversation_ids, limit + 1)
        reports: dict[str, list[RowStatus]] = {}
        for one in claims.due_reports(cursor, conversation_ids, REPORTS):
            reports.setdefault(one.conversation_id, []).append(one)
    return {
        one: UnfinishedRows(
            mappings.get(one),
            {direction: lanes.get((one, direction), []) for direction in DIRECTIONS},
            reports.get(one, []),
        )
        for one in conversation_ids
    }
