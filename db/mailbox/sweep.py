"""Finding work that no actor knows of: rows that others wrote, retries whose daemon is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.mailbox import claims

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Found:
    seq: int
    message_id: str
    conversation_id: str
    line_id: str
    shard: int
    state: str
    lane: str
    """inbound, outbound, or report."""
    stale: bool
    """Claimed more than a minute ago and still not settled."""


def page(cursor: Any, shards: Sequence[int], after: int) -> list[Found]:
    """The next PAGE unfinished rows of these shards after `after`, by seq; fewer mean the end.

    A bounded page per second, walking round: the cost does not grow with the backlog.
    """
    cursor.execute(
        """SELECT seq, id::text, conversation_id::text, line_id::text, shard, state,
                  CASE WHEN report IS DISTINCT FROM reported THEN 'report' ELSE direction END,
                  state = 'sending' AND claimed_at < now() - interval '1 minute'
           FROM message_tracking
           WHERE unfinished AND seq > %s AND shard = ANY(%s)
           ORDER BY seq LIMIT %s""",
        (after, list(shards), PAGE),
    )
    return [Found(*row) for row in cursor.fetchall()]


def expire(cursor: Any, found: Sequence[Found], seconds: float) -> None:
    """Calls that nobody settled (their sender vanished) become unknown."""
    stale = sorted(one.message_id for one in found if one.stale)
    if not stale:
        return
    claims.lock(cursor, stale)
    claims.keep_attempts_under_way(cursor, stale)
    cursor.execute(
        """UPDATE message_tracking
           SET state = 'unknown', updated_at = now(), reason_code = 'no_word', reason = 'the call ended without word',
               unknown_until = now() + make_interval(secs => CASE direction WHEN 'outbound' THEN %s ELSE 0 END)
           WHERE id = ANY(%s::uuid[]) AND state = 'sending' AND claimed_at < now() - interval '1 minute'""",
        (seconds, stale),
    )


def notify(cursor: Any, shard: int, conversation_id: str) -> None:
    """Tell the owner of `shard`, whoever that is, that a conversation has work."""
    cursor.execute("SELECT pg_notify('relay_wake', %s)", (f"{shard}:{conversation_id}",))
