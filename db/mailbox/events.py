"""message_events: what happened to a message beside its calls and the times in its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from psycopg2.extras import execute_values


def note(cursor: Any, events: Iterable[tuple[str, str, str]]) -> None:
    """(message id, event, detail) into the history, in the caller's transaction."""
    rows = [(UUID(message_id), event, detail) for message_id, event, detail in events]
    if rows:
        execute_values(
            cursor,
            "INSERT INTO message_events (message_id, event, detail) VALUES %s",
            rows,
            page_size=len(rows),
        )
