"""The end of contacts: of those of whom nothing is left and who have been quiet for long, and of those to be erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.contacts.mappings import slot
from db.cursor import Cursor

AT_ONCE = 100

# Whose messages are all gone. Who writes just now is locked and passed by.
QUIET = f"""SELECT c.id::text FROM conversation_mappings c
WHERE c.line_id = %(line)s AND c.last_slot < {slot("%(before)s::timestamptz")}
  AND NOT EXISTS (SELECT 1 FROM message_tracking m WHERE m.conversation_id = c.id)
ORDER BY c.last_slot LIMIT %(limit)s FOR UPDATE SKIP LOCKED"""


def end(cursor: Cursor, line_id: str, before: datetime) -> int:
    """Those of a line who have been quiet since then, AT_ONCE at most. Returns how many."""
    cursor.execute(QUIET, {"line": UUID(line_id), "before": before, "limit": AT_ONCE})
    found = [row[0] for row in cursor.fetchall()]
    delete(cursor, found)
    return len(found)


def delete(cursor: Cursor, conversation_ids: Sequence[str]) -> dict[str, int]:
    """All that is known of these contacts beside their messages. The caller has locked them. Counts by table."""
    counts = {}
    for table in ("conversation_ends", "end_requests", "genesys_conversations", "contact_aliases"):
        cursor.execute(f"DELETE FROM {table} WHERE conversation_id = ANY(%s::uuid[])", (list(conversation_ids),))
        counts[table] = int(cursor.rowcount)
    cursor.execute("DELETE FROM conversation_mappings WHERE id = ANY(%s::uuid[])", (list(conversation_ids),))
    counts["conversation_mappings"] = int(cursor.rowcount)
    return counts
