"""message_events: what happened to a message beside its calls and the times in its row."""

from __future__ import annotations

from collections.abc import Iterable

from db.cursor import Cursor
from db.prepared import Prepared

NOTE = Prepared(
    "note_events",
    """INSERT INTO message_events (message_id, event, detail)
       SELECT * FROM unnest(%(ids)s, %(events)s, %(details)s)""",
    ids="uuid[]", events="text[]", details="text[]",
)  # fmt: skip


def note(cursor: Cursor, events: Iterable[tuple[str, str, str]]) -> None:
    """(message id, event, detail) into the history, in the caller's transaction."""
    rows = list(events)
    if rows:
        NOTE.run(
            cursor,
            ids=[one for one, _, _ in rows],
            events=[one for _, one, _ in rows],
            details=[one for _, _, one in rows],
        )
