"""Setting aside, without a call, what the relay itself fails on each time it comes to it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from db.cursor import Cursor
from db.mailbox import claims, events
from relay.core.languages import phrase

CODE = "internal_error"
REASON = phrase("the relay itself failed on it each time; its log says where")
MOST = 1000
"""Of a conversation that fails as a whole, at a time."""


def rows(cursor: Cursor, message_ids: Collection[str], number: int, epoch: int) -> list[tuple[str, str]]:
    """Those that wait become dead; where only the word to the agent's side was left, that is given up.

    Only for the owner of the shard: `epoch` must hold. A call under way is left to its end. Returns the (id, direction)
    of the dead.
    """
    ids = sorted(message_ids)
    cursor.execute("SELECT 1 FROM shards WHERE n = %s AND epoch = %s FOR SHARE", (number, epoch))
    if not ids or cursor.fetchone() is None:
        return []
    claims.lock(cursor, ids)
    dead = _bury(cursor, ids, number)
    _give_up_reports(cursor, sorted({*ids} - {one for one, _ in dead}), number)
    return dead


def conversation(cursor: Cursor, conversation_id: str, number: int, epoch: int) -> list[tuple[str, str]]:
    """The same with what is unfinished of one that fails as a whole: up to MOST of it, the oldest first."""
    cursor.execute(
        """SELECT id::text FROM message_tracking WHERE conversation_id = %s AND unfinished
           ORDER BY direction, sort_time, arrived_at, idx, seq LIMIT %s""",
        (UUID(conversation_id), MOST),
    )
    return rows(cursor, [row[0] for row in cursor.fetchall()], number, epoch)


def _bury(cursor: Cursor, ids: list[str], number: int) -> list[tuple[str, str]]:
    cursor.execute(
        """UPDATE message_tracking
           SET state = 'dead', reason_code = %s, reason = %s, failed_at = now(), updated_at = now(),
               next_attempt_at = NULL, unknown_until = NULL,
               report = CASE WHEN direction = 'outbound' AND origin <> 'api' THEN coalesce(report, 'failed')
                             ELSE report END
           WHERE id = ANY(%s::uuid[]) AND shard = %s AND state IN ('received', 'unknown')
           RETURNING id::text, direction""",
        (CODE, REASON, ids, number),
    )
    dead = [(row[0], row[1]) for row in cursor.fetchall()]
    events.note(cursor, [(one, "dead", f"{CODE}: {REASON}") for one, _ in dead])
    return dead


def _give_up_reports(cursor: Cursor, ids: list[str], number: int) -> None:
    cursor.execute(
        """UPDATE message_tracking SET reported = report, updated_at = now()
           WHERE id = ANY(%s::uuid[]) AND shard = %s AND state NOT IN ('received', 'sending', 'unknown')
             AND report IS DISTINCT FROM reported
           RETURNING id::text, report""",
        (ids, number),
    )
    events.note(cursor, [(row[0], "report_given_up", f"{row[1]}: {REASON}") for row in cursor.fetchall()])
