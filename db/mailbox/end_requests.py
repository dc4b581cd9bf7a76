"""end_requests: customers who asked for the end of their conversation, until the agents' side has been told."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.cursor import Cursor
from db.mailbox import events
from db.pool import Pool

OLDEST_DAYS = 8
"""A message waits for seven days at most; what is left of its request after that goes."""


@dataclass(frozen=True, slots=True)
class EndRequest:
    """`genesys_conversation_id`: of this moment, None: there is none. `tries`: this one included."""

    message_id: str
    tenant_id: str
    line_id: str
    conversation_id: str
    genesys_conversation_id: str | None
    tries: int


def ask(pool: Pool, message_id: str) -> None:
    """To be carried out once the message that asks has been handed over. Asked again it is the same one."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """INSERT INTO end_requests (message_id, tenant_id, line_id, conversation_id)
               SELECT id, tenant_id, line_id, conversation_id FROM message_tracking WHERE id = %s
               ON CONFLICT DO NOTHING""",
            (UUID(message_id),),
        )


def take_due(pool: Pool, seconds: float, most: int) -> list[EndRequest]:
    """Requests whose message has been handed over; nobody else takes them for `seconds`."""
    with pool.transaction() as cursor:
        cursor.execute(
            """WITH due AS (
                 SELECT r.message_id FROM end_requests r JOIN message_tracking m ON m.id = r.message_id
                 WHERE r.due_at <= now() AND m.state IN ('sent', 'delivered', 'read')
                 ORDER BY r.due_at LIMIT %s FOR UPDATE OF r SKIP LOCKED)
               UPDATE end_requests r SET due_at = now() + make_interval(secs => %s), tries = r.tries + 1
               FROM due, conversation_mappings c WHERE r.message_id = due.message_id AND c.id = r.conversation_id
               RETURNING r.message_id::text, r.tenant_id::text, r.line_id::text, r.conversation_id::text,
                         c.genesys_conversation_id, r.tries""",
            (most, seconds),
        )
        return cursor.all(EndRequest)


def again(pool: Pool, request: EndRequest, seconds: float) -> None:
    """Try it once more after so many seconds."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "UPDATE end_requests SET due_at = now() + make_interval(secs => %s) WHERE message_id = %s",
            (seconds, UUID(request.message_id)),
        )


def end(pool: Pool, request: EndRequest, event: str, detail: str, *, told: bool = False) -> None:
    """Done with. `event` goes into the message's history; `told`: the agents' side has taken it."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM end_requests WHERE message_id = %s RETURNING 1", (UUID(request.message_id),))
        if cursor.fetchone() is None:
            return
        events.note(cursor, [(request.message_id, event, detail)])
        if told:
            cursor.execute(
                """INSERT INTO conversation_ends (tenant_id, line_id, conversation_id, genesys_conversation_id, kind,
                                                  participant, at)
                   VALUES (%s, %s, %s, %s, 'asked', %s, now()) ON CONFLICT DO NOTHING""",
                (request.tenant_id, request.line_id, request.conversation_id, request.genesys_conversation_id,
                 request.message_id),
            )  # fmt: skip


def expire(cursor: Cursor, most: int = 1000) -> int:
    """Delete those whose message never went out. Returns how many."""
    cursor.execute(
        """DELETE FROM end_requests WHERE message_id IN (SELECT message_id FROM end_requests
             WHERE asked_at < now() - make_interval(days => %s) ORDER BY asked_at LIMIT %s)""",
        (OLDEST_DAYS, most),
    )
    return int(cursor.rowcount)
