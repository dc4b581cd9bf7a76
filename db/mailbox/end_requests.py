"""end_requests: customers who asked for the end of their conversation, until the agents' side has been told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from db.cursor import Cursor
from db.mailbox import events
from db.pool import Pool

OLDEST_DAYS = 8
"""A message waits for seven days at most; what is left of its request after that goes."""
HANDED_OVER = ["sent", "delivered", "read"]
PUT_OFF_SECONDS = 30.0
"""At most so long after its message was handed over a request that waited for it is found."""
PUT_OFF_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class EndRequest:
    """`genesys_conversation_id`: of this moment, None: there is none. `tries`: this one included. `overtaken`: the
    customer has written again behind the message that asks."""

    message_id: str
    tenant_id: str
    line_id: str
    conversation_id: str
    genesys_conversation_id: str | None
    tries: int
    overtaken: bool


def ask(pool: Pool, message_id: str) -> None:
    """To be carried out once the message that asks has been handed over. Asked again it is the same one."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """INSERT INTO end_requests (message_id, tenant_id, line_id, conversation_id)
               SELECT id, tenant_id, line_id, conversation_id FROM message_tracking WHERE id = %s
               ON CONFLICT DO NOTHING""",
            (UUID(message_id),),
        )


def take_due(pool: Pool, seconds: float, most: int, of_a_tenant: int, but: Collection[str] = ()) -> list[EndRequest]:
    """Requests whose message has been handed over, no more than `of_a_tenant` of each tenant and none of the tenants
    `but`; nobody else takes them for `seconds`."""
    with pool.transaction() as cursor:
        _put_off(cursor)
        cursor.execute(
            """WITH ready AS (
                 SELECT r.message_id, r.due_at, row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.due_at) AS place
                 FROM end_requests r JOIN message_tracking m ON m.id = r.message_id
                 WHERE r.due_at <= now() AND m.state = ANY(%(handed_over)s) AND r.tenant_id <> ALL(%(but)s::uuid[])),
               due AS (
                 SELECT r.message_id FROM end_requests r JOIN ready USING (message_id)
                 WHERE ready.place <= %(of_a_tenant)s AND r.due_at <= now()
                 ORDER BY r.due_at LIMIT %(most)s FOR UPDATE OF r SKIP LOCKED)
               UPDATE end_requests r SET due_at = now() + make_interval(secs => %(seconds)s), tries = r.tries + 1
               FROM due, conversation_mappings c, message_tracking m
               WHERE r.message_id = due.message_id AND c.id = r.conversation_id AND m.id = r.message_id
               RETURNING r.message_id::text, r.tenant_id::text, r.line_id::text, r.conversation_id::text,
                         c.genesys_conversation_id, r.tries,
                         EXISTS (SELECT 1 FROM message_tracking n
                                 WHERE n.conversation_id = r.conversation_id AND n.direction = 'inbound'
                                   AND n.sort_time >= m.sort_time
                                   AND (n.sort_time, n.arrived_at, n.idx, n.seq)
                                     > (m.sort_time, m.arrived_at, m.idx, m.seq)) AS overtaken""",
            {
                "handed_over": HANDED_OVER,
                "but": list(but),
                "of_a_tenant": of_a_tenant,
                "most": most,
                "seconds": seconds,
            },
        )
        return cursor.all(EndRequest)


def _put_off(cursor: Cursor) -> None:
    """Those whose message still waits are looked at again the later, the longer it waits; those whose message will not
    go out are over: should it be sent again by hand, it asks again."""
    cursor.execute(
        """WITH waiting AS (
             SELECT r.message_id, coalesce(m.state IN ('received', 'sending', 'unknown'), false) AS may_go
             FROM end_requests r LEFT JOIN message_tracking m ON m.id = r.message_id
             WHERE r.due_at <= now() AND (m.state = ANY(%s)) IS NOT TRUE
             ORDER BY r.due_at LIMIT %s FOR UPDATE OF r SKIP LOCKED),
           over AS (DELETE FROM end_requests r USING waiting w WHERE r.message_id = w.message_id AND NOT w.may_go)
           UPDATE end_requests r SET due_at = now() + least((now() - r.asked_at) / 4, make_interval(secs => %s))
           FROM waiting w WHERE r.message_id = w.message_id AND w.may_go""",
        (HANDED_OVER, PUT_OFF_AT_ONCE, PUT_OFF_SECONDS),
    )


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
