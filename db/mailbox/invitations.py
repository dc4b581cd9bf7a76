"""A message that came too late for the 24-hour window goes back to its lane as an approved template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from db.contacts import conversations, windows
from db.cursor import Cursor
from db.mailbox import events
from db.pool import Pool
from relay.core.messages import Message, dump, load

LOOKED_AT = 200
"""Messages of a conversation, from its end, among which the last template is looked for."""

HOW = "the 24-hour window is closed; "
REVIVE = """UPDATE message_tracking
SET state = 'received', content = %(content)s, claimed_at = NULL, next_attempt_at = NULL, unknown_until = NULL,
    provider_id = NULL, sent_at = NULL, updated_at = now(),
    -- a new beginning, or its call would be taken for one whose failure was told already
    failed_at = NULL,
    -- where the template does not hold the text, the agent's side is still told that it failed, and why
    report = CASE WHEN %(instead)s THEN report END,
    reason_code = CASE WHEN %(instead)s THEN reason_code END,
    reason = CASE WHEN %(instead)s THEN concat(reason, '; the template ', %(name)s::text, ' goes out instead') END
WHERE id = %(id)s RETURNING reason"""


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """What goes out, and what the agent's side is still to be told of its own message, if anything."""

    instead: bool
    """A template goes out that does not hold the message."""
    reason: str | None


def send(
    pool: Pool,
    conversation_id: str,
    message_id: str,
    in_its_place: Callable[[Message, float | None], Message | None],
    now: float,
    closed_at: float | None,
) -> SentInvitation | None:
    """What is sent in place of the failed message, or None. `in_its_place(message, invited at)` decides.

    `closed_at`: when the provider said that the window is closed, which we had not known.
    """
    with pool.transaction() as cursor:
        conversations.lock(cursor, [conversation_id])
        if closed_at is not None:
            windows.close_window(cursor, conversation_id, closed_at)
        message, state, reason, invited_at = _standing(cursor, message_id)
        if message is not None and message.template is not None and message.template.instead:
            # decided before; only the word about it has not arrived yet
            return SentInvitation(instead=True, reason=reason)
        replacement = in_its_place(message, invited_at) if message is not None and state == "failed" else None
        if replacement is None:
            return None
        template = replacement.template
        if template is None:
            return _directly(cursor, message_id, replacement)
        values = {"content": dump(replacement).decode(), "instead": template.instead, "id": UUID(message_id)}
        cursor.execute(REVIVE, values | {"name": template.name})
        reason = cursor.fetchone()[0]
        windows.invited(cursor, conversation_id, now)
        how = "instead of it" if template.instead else "with its text"
        events.note(cursor, [(message_id, "template", f"{HOW}the template {template.name} goes out {how}")])
        return SentInvitation(template.instead, reason)


def _directly(cursor: Cursor, message_id: str, message: Message) -> SentInvitation:
    """The message itself goes out, by Direct Send: nobody is invited by it, and nothing is told of a failure."""
    values = {"content": dump(message).decode(), "instead": False, "id": UUID(message_id), "name": ""}
    cursor.execute(REVIVE, values)
    events.note(cursor, [(message_id, "template", f"{HOW}it goes out by Direct Send")])
    return SentInvitation(instead=False, reason=None)


def _standing(cursor: Cursor, message_id: str) -> tuple[Message | None, str, str | None, float | None]:
    """The message, its state and reason, and when its contact was last sent a template instead that did not fail."""
    cursor.execute(
        """SELECT m.content, m.state, m.reason, extract(epoch FROM c.invited_at)
           FROM message_tracking m JOIN conversation_mappings c ON c.id = m.conversation_id
           WHERE m.id = %s FOR UPDATE OF m""",
        (UUID(message_id),),
    )
    row = cursor.fetchone()
    if row is None:
        return None, "", None, None
    invited_at = None if row[3] is None or _failed_since(cursor, message_id) else float(row[3])
    return load(Message, row[0]), row[1], row[2], invited_at


def _failed_since(cursor: Cursor, message_id: str) -> bool:
    """The newest template that went out instead has not arrived: so nobody was invited."""
    cursor.execute(
        """SELECT n.state IN ('failed', 'dead') FROM message_tracking m CROSS JOIN LATERAL (
             SELECT * FROM message_tracking o WHERE o.conversation_id = m.conversation_id
             ORDER BY o.sort_time DESC LIMIT %s) n
           WHERE m.id = %s AND n.direction = 'outbound' AND n.content->'template'->>'instead' = 'true'
           ORDER BY n.sort_time DESC LIMIT 1""",
        (LOOKED_AT, UUID(message_id)),
    )
    row = cursor.fetchone()
    return bool(row and row[0])
