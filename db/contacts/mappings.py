"""conversation_mappings and genesys_conversations: the rows of conversations, and how they are locked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from psycopg2.extras import execute_values

from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping

_PLAIN = (
    "id", "tenant_id", "line_id", "genesys_address", "shard", "wa_id", "bsuid", "parent_bsuid", "name",
    "genesys_conversation_id", "username", "last_inbound_id", "names_version",
)  # fmt: skip
_TIMES = ("window_until", "invited_at")


def columns(table: str) -> str:
    """What `mapping_of` reads, of conversation_mappings under this name."""
    plain = (f"{table}.{name}" for name in _PLAIN)
    return ", ".join((*plain, *(f"extract(epoch FROM {table}.{name})::float8 AS {name}" for name in _TIMES)))


def slot(at: str) -> str:
    """SQL: the ten minutes in which something was active, as `last_slot` has them."""
    return f"date_bin('10 minutes', {at}, '2000-01-01 00:00:00+00')"


def active_since(at: str) -> str:
    """SQL for a LATERAL behind `lines l`: a row for each conversation of the line that was active after `at`.

    Whole slots are counted in the index alone, which does not know the moment.
    """
    return f"""SELECT 1 FROM conversation_mappings c WHERE c.line_id = l.id AND c.last_slot > {slot(at)}
      UNION ALL SELECT 1 FROM conversation_mappings c
      WHERE c.line_id = l.id AND c.last_slot = {slot(at)} AND c.last_at > {at}"""


def mapping_of(row: Sequence[Any]) -> ConversationMapping:
    return ConversationMapping(str(row[0]), str(row[1]), str(row[2]), *row[3:])


def by_id(pool: Pool, conversation_id: str) -> ConversationMapping | None:
    """The mapping, or None when there is no such conversation (or the id is not a UUID)."""
    try:
        UUID(conversation_id)
    except ValueError:
        return None
    with pool.autocommit() as cursor:
        return read(cursor, conversation_id)


def read(cursor: Any, conversation_id: str) -> ConversationMapping | None:
    cursor.execute(f"SELECT {columns('c')} FROM conversation_mappings c WHERE c.id = %s", (UUID(conversation_id),))
    row = cursor.fetchone()
    return mapping_of(row) if row else None


def lock(cursor: Any, conversation_ids: Iterable[str]) -> None:
    """Lock the mappings in one order for all transactions, or two of them would wait for each other.

    Once per transaction, before anything is written about a conversation that exists.
    """
    ids = sorted(set(conversation_ids))
    if ids:
        cursor.execute(
            "SELECT 1 FROM conversation_mappings WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE", (ids,)
        )


def see_genesys_conversations(cursor: Any, rows: Iterable[tuple[str, str]]) -> None:
    """(conversation id, Genesys conversation id): the newest is the current one, all are kept. Locked by the caller."""
    pairs = sorted(set(rows))
    if not pairs:
        return
    execute_values(
        cursor,
        """INSERT INTO genesys_conversations (conversation_id, genesys_conversation_id) VALUES %s
           ON CONFLICT (genesys_conversation_id, conversation_id) DO UPDATE SET last_seen = now()""",
        pairs,
        template="(%s::uuid, %s)",
    )
    execute_values(
        cursor,
        """UPDATE conversation_mappings c SET genesys_conversation_id = v.genesys_id, updated_at = now()
           FROM (VALUES %s) AS v (id, genesys_id)
           WHERE c.id = v.id::uuid AND c.genesys_conversation_id IS DISTINCT FROM v.genesys_id""",
        pairs,
    )
