"""user_news: what people are told about their own log-in on the next page they open, until they say they have read it.

The one place where somebody is told that password, second factor or keys of theirs have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.audit import Author
from db.cursor import Cursor
from db.mailbox.messages import new_id
from db.pool import Pool

KEPT = 20
"""Of each person, the newest."""


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """`what` happened to which `thing`; `agent` is the browser it came from, where there was one."""

    id: str
    what: str
    thing: str
    actor: str
    agent: str
    at: datetime


def tell(cursor: Cursor, user_id: str, what: str, by: Author, *, thing: str = "") -> None:
    """In the transaction of the change. The browser that did it itself is not told, nor is whoever a tenant cannot see:
    an operator who made one of its keys.
    """
    cursor.execute(
        """INSERT INTO user_news (id, user_id, what, thing, actor, agent, session_id)
           SELECT %s, id, %s, %s, %s, %s, %s FROM users WHERE id = %s""",
        (new_id(), what, thing, by.actor, by.agent[:200], by.session_id, UUID(user_id)),
    )
    cursor.execute(
        """DELETE FROM user_news WHERE user_id = %s AND id IN (
             SELECT id FROM user_news WHERE user_id = %s ORDER BY at DESC, id DESC OFFSET %s)""",
        (UUID(user_id), UUID(user_id), KEPT),
    )


def waiting(pool: Pool, user_id: str, session_id: str) -> list[AccountNotice]:
    """What this browser's person has not said to have read; the newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT id::text, what, thing, actor, agent, at FROM user_news
               WHERE user_id = %s AND session_id IS DISTINCT FROM %s::uuid ORDER BY at DESC, id DESC LIMIT %s""",
            (UUID(user_id), session_id, KEPT),
        )
        return [AccountNotice(*row) for row in cursor.fetchall()]


def read(pool: Pool, user_id: str, last: str) -> None:
    """Up to the one with this id; not shown again. The audit log keeps them."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """DELETE FROM user_news n USING user_news shown WHERE shown.id = %s AND shown.user_id = %s
               AND n.user_id = shown.user_id AND (n.at, n.id) <= (shown.at, shown.id)""",
            (UUID(last), UUID(user_id)),
        )
