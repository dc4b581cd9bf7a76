"""A conversation's unfinished work, read in one transaction: what a waking actor starts from."""

from __future__ import annotations

from dataclasses import dataclass

from db.contacts import conversations
from db.mailbox import claims, messages
from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping
from relay.core.mailbox import Row, Standing
from relay.core.messages import Direction

REPORTS = 50
DIRECTIONS: tuple[Direction, Direction] = ("inbound", "outbound")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`lanes` holds the beginning of each, one row more than asked for if there is more."""

    mapping: ConversationMapping | None
    lanes: dict[Direction, list[Row]]
    reports: list[Standing]


def read(pool: Pool, conversation_id: str, limit: int) -> Mailbox:
    """Up to `limit` + 1 rows per lane. Raises StoreError while PostgreSQL is away."""
    with pool.transaction() as cursor:
        return Mailbox(
            conversations.read(cursor, conversation_id),
            {direction: messages.unfinished(cursor, conversation_id, direction, limit + 1) for direction in DIRECTIONS},
            claims.due_reports(cursor, conversation_id, REPORTS),
        )
