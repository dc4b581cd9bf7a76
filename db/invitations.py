"""A message that came too late for the 24-hour window goes back to its lane as an approved template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from db import conversations, events, windows
from db.pool import Pool
from relay.core.messages import Message, dump, load

REVIVE = """UPDATE message_tracking
SET state = 'received', content = %(content)s, claimed_at = NULL, next_attempt_at = NULL, unknown_until = NULL,
    provider_id = NULL, sent_at = NULL, updated_at = now(),
    -- a new beginning, or its call would be taken for one whose failure was told already
    failed_at = NULL,
    -- where the template does not hold the text, the agent's side is still told that it failed, and why
    report = CASE WHEN %(instead)s THEN report END,
    reason_code = CASE WHEN %(instead)s THEN reason_code END, reason = CASE WHEN %(instead)s THEN reason END
WHERE id = %(id)s"""


def send(
    pool: Pool,
    conversation_id: str,
    message_id: str,
    in_its_place: Callable[[Message, float | None], Message | None],
    now: float,
    closed_at: float | None,
) -> Message | None:
    """What is sent in place of the failed message, or None. `in_its_place(message, invited at)` decides.

    `closed_at`: when the provider said that the window is closed, which we had not known.
    """
    with pool.transaction() as cursor:
        conversations.lock(cursor, [conversation_id])
        if closed_at is not None:
            windows.close_window(cursor, conversation_id, closed_at)
        message, state, invited_at = _standing(cursor, message_id)
        if message is not None and message.template is not None and message.template.instead:
            return message  # decided before; only the word about it has not arrived yet
        replacement = in_its_place(message, invited_at) if message is not None and state == "failed" else None
        if replacement is None or replacement.template is None:
            return None
        template = replacement.template
        values = {"content": dump(replacement).decode(), "instead": template.instead, "id": UUID(message_id)}
        cursor.execute(REVIVE, values)
        windows.invited(cursor, conversation_id, now)
        how = "instead of it" if template.instead else "with its text"
        note = f"the 24-hour window is closed; the template {template.name} goes out {how}"
        events.note(cursor, [(message_id, "template", note)])
        return replacement


def _standing(cursor: Any, message_id: str) -> tuple[Message | None, str, float | None]:
    """The message, its state, and when its contact was last sent a template instead."""
    cursor.execute(
        """SELECT m.content, m.state, extract(epoch FROM c.invited_at)
           FROM message_tracking m JOIN conversation_mappings c ON c.id = m.conversation_id
           WHERE m.id = %s FOR UPDATE OF m""",
        (UUID(message_id),),
    )
    row = cursor.fetchone()
    if row is None:
        return None, "", None
    return load(Message, row[0]), row[1], None if row[2] is None else float(row[2])
