"""Changing the number of shards: with web and every daemon stopped, and the queues empty."""

from __future__ import annotations

from uuid import UUID

from psycopg2.extras import execute_values

from db.cursor import Cursor
from db.pool import Pool
from relay.core.queues import queue_number

PAGE = 5000


class StillRunningError(RuntimeError):
    """A daemon holds its lease; the text says what to do."""


def reshard(pool: Pool, shards: int) -> int:
    """Give every conversation and its messages a home among `shards`, in one transaction.

    Returns the number of conversations. Raises StillRunningError while a daemon lives.
    """
    with pool.transaction() as cursor:
        cursor.execute("LOCK TABLE shards, conversation_mappings, message_tracking IN EXCLUSIVE MODE")
        cursor.execute("SELECT name FROM daemons WHERE lease_until > now()")
        living = [row[0] for row in cursor.fetchall()]
        if living:
            raise StillRunningError(f"stop web and every daemon first; still running: {', '.join(living)}")
        count = _rehouse(cursor, shards)
        cursor.execute(
            """UPDATE message_tracking m SET shard = c.shard FROM conversation_mappings c
               WHERE c.id = m.conversation_id AND c.shard <> m.shard"""
        )
        cursor.execute("DELETE FROM shards WHERE n >= %s", (shards,))
        cursor.execute("INSERT INTO shards (n) SELECT generate_series(0, %s) ON CONFLICT DO NOTHING", (shards - 1,))
        cursor.execute("UPDATE relay_settings SET value = %s WHERE name = 'shards'", (str(shards),))
    return count


def _rehouse(cursor: Cursor, shards: int) -> int:
    count, after = 0, UUID(int=0)
    while True:
        cursor.execute(
            "SELECT id, line_id, genesys_address FROM conversation_mappings WHERE id > %s ORDER BY id LIMIT %s",
            (after, PAGE),
        )
        page = cursor.fetchall()
        if not page:
            return count
        execute_values(
            cursor,
            "UPDATE conversation_mappings c SET shard = v.n FROM (VALUES %s) AS v (id, n) WHERE c.id = v.id",
            [(row[0], queue_number(str(row[1]), row[2], shards)) for row in page],
            template="(%s::uuid, %s::smallint)",
        )
        count, after = count + len(page), page[-1][0]
