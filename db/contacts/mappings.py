"""conversation_mappings and genesys_conversations: the rows of conversations, and how they are locked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from db.cursor import Cursor
from db.pool import Pool
from db.prepared import Prepared
from relay.core.contacts.mapping import ConversationMapping

_PLAIN = (
    "id", "tenant_id", "line_id", "genesys_address", "shard", "wa_id", "bsuid", "parent_bsuid", "name",
    "genesys_conversation_id", "username", "last_inbound_id", "names_version", "thread_state", "thread_role",
)  # fmt: skip
_TIMES = ("window_until", "invited_at", "thread_at", "heard_at")


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


READ = Prepared(
    "read_conversations",
    f"SELECT {columns('c')} FROM conversation_mappings c WHERE c.id = ANY(%(ids)s)",
    ids="uuid[]",
)


def by_id(pool: Pool, conversation_id: str) -> ConversationMapping | None:
    """The mapping, or None when there is no such conversation (or the id is not a UUID)."""
    try:
        UUID(conversation_id)
    except ValueError:
        return None
    with pool.autocommit() as cursor:
        return next(iter(read(cursor, [conversation_id]).values()), None)


def read(cursor: Cursor, conversation_ids: Sequence[str]) -> dict[str, ConversationMapping]:
    """Of those that there are, by id."""
    READ.run(cursor, ids=conversation_ids)
    return {mapping.conversation_id: mapping for mapping in map(mapping_of, cursor.fetchall())}


LOCK = Prepared(
    "lock_conversations",
    "SELECT 1 FROM conversation_mappings WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE",
    ids="uuid[]",
)


def lock(cursor: Cursor, conversation_ids: Iterable[str]) -> None:
    """Lock the mappings in one order for all transactions, or two of them would wait for each other.

    Once per transaction, before anything is written about a conversation that exists.
    """
    ids = sorted(set(conversation_ids))
    if ids:
        LOCK.run(cursor, ids=ids)


NEWS = Prepared(
    "genesys_conversation_news",
    """SELECT DISTINCT v.id::text FROM unnest(%(ids)s, %(genesys_ids)s) AS v (id, genesys_id)
       JOIN conversation_mappings c ON c.id = v.id
       WHERE c.genesys_conversation_id IS DISTINCT FROM v.genesys_id""",
    ids="uuid[]", genesys_ids="text[]",
)  # fmt: skip

# `last_seen` of the current one is when its conversation was last active; it is written down when another takes over.
SEE = Prepared(
    "see_genesys_conversation",
    """
WITH v AS (SELECT * FROM unnest(%(ids)s, %(genesys_ids)s, %(newest)s) AS v (id, genesys_id, newest)),
former AS (
    UPDATE genesys_conversations g SET last_seen = greatest(g.last_seen, c.last_at)
    FROM v JOIN conversation_mappings c ON c.id = v.id
    WHERE v.newest AND g.genesys_conversation_id = c.genesys_conversation_id AND g.conversation_id = c.id
      AND c.genesys_conversation_id <> v.genesys_id
), current AS (
    UPDATE conversation_mappings c SET genesys_conversation_id = v.genesys_id, updated_at = now()
    FROM v WHERE v.newest AND c.id = v.id AND c.genesys_conversation_id IS DISTINCT FROM v.genesys_id
)
INSERT INTO genesys_conversations (conversation_id, genesys_conversation_id)
SELECT id, genesys_id FROM v ORDER BY 1, 2
ON CONFLICT (genesys_conversation_id, conversation_id) DO UPDATE SET last_seen = now()
""",
    ids="uuid[]", genesys_ids="text[]", newest="boolean[]",
)  # fmt: skip


def news_of_genesys(cursor: Cursor, rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of (conversation id, Genesys conversation id) those whose conversation does not have this one as its current."""
    pairs = list(dict.fromkeys(rows))
    if not pairs:
        return []
    NEWS.run(cursor, ids=[one for one, _ in pairs], genesys_ids=[one for _, one in pairs])
    changed = {row[0] for row in cursor.fetchall()}
    return [pair for pair in pairs if pair[0] in changed]


def see_genesys_conversations(cursor: Cursor, rows: Iterable[tuple[str, str]]) -> None:
    """(conversation id, Genesys conversation id) as they came: the last one is the current, all are kept.

    The mappings are locked by the caller, or nobody else writes them now. Nothing is written of what is known.
    """
    pairs = news_of_genesys(cursor, rows)
    if not pairs:
        return
    last = dict(pairs)
    SEE.run(
        cursor,
        ids=[one for one, _ in pairs],
        genesys_ids=[one for _, one in pairs],
        newest=[last[one] == genesys_id for one, genesys_id in pairs],
    )
