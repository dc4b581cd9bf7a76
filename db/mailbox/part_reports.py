"""A message that went out in several parts: the agents' side is told of the whole of it, and each word once."""

from __future__ import annotations

from db.pool import Pool
from db.prepared import Prepared
from relay.core.messages import Report

PARTS = Prepared(
    "parts_of_whole",
    """SELECT bool_and(p.state IN ('delivered', 'read') AND p.content->'template'->>'instead' IS DISTINCT FROM 'true'),
              bool_or(p.reported = %(status)s),
              bool_or(p.id = m.id AND p.report = %(status)s AND p.report IS DISTINCT FROM p.reported)
       FROM message_tracking m JOIN message_tracking p
         ON p.conversation_id = m.conversation_id AND p.sort_time = m.sort_time AND p.direction = m.direction
        AND split_part(p.source_id, '#', 1) = split_part(m.source_id, '#', 1)
       WHERE m.id = %(id)s""",
    id="uuid", status="text",
)  # fmt: skip

NOTHING_TO_TELL = Prepared(
    "nothing_to_tell",
    "UPDATE message_tracking SET report = reported WHERE id = %(id)s AND report = %(status)s",
    id="uuid", status="text",
)  # fmt: skip


def may_tell(pool: Pool, report: Report) -> bool:
    """Whether the word about a part is the word about the whole, and nobody has told it yet. Raises StoreError.

    Delivered is told when all parts are, Failed with the first that failed. Else nothing is left to
    tell of this part. Only the conversation's actor asks, after each change of a part: what one
    part must not tell yet, the last one will. What the row does not ask for any more is old news.
    """
    with pool.autocommit() as cursor:
        PARTS.run(cursor, id=report.message_id, status=report.status)
        all_delivered, told, asked = cursor.fetchone()
        if asked and not told and (all_delivered or report.status == "failed"):
            return True
        NOTHING_TO_TELL.run(cursor, id=report.message_id, status=report.status)
        return False
