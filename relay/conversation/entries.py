"""From a row of the mailbox to the entry that a lane holds."""

from __future__ import annotations

from relay.core.conversation.lane import NEVER, Entry
from relay.core.mailbox import Row


def entry_of(row: Row) -> Entry:
    """A file counts as ready once it is kept, for WhatsApp once it is uploaded too."""
    media = row.message.media
    ready = media is None or media.object_key is not None
    if media is not None and row.direction == "outbound":
        ready = media.upload_id is not None or media.kind == "link"
    entry = Entry(row.id, row.key, row.message, row.attempts, claimed=row.claimed, prepared=ready)
    entry.not_before = row.next_attempt_at or 0.0
    if row.state != "received":
        entry.unknown = True
        entry.not_before = row.unknown_until or NEVER
    return entry
