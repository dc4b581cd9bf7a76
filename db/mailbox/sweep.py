"""Finding work that no actor knows of: rows that others wrote, retries whose daemon is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.cursor import Cursor
from db.mailbox import claims, erased
from db.prepared import Prepared

PAGE = 400
Bookmark = tuple[Any, ...]
"""Where a row stands among those unfinished: by conversation, and there as in its lane."""
START: Bookmark = ("00000000-0000-0000-0000-000000000000", "", "-infinity", "-infinity", 0, 0)
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def behind(conversation_id: str) -> Bookmark:
    """All rows of this conversation are before it."""
    return conversation_id, "~", "infinity", "infinity", 0, 0


@dataclass(frozen=True, slots=True)
class UnfinishedMessage:
    bookmark: Bookmark
    message_id: str
    conversation_id: str
    line_id: str
    shard: int
    state: str
    lane: str
    """inbound, outbound, or report."""
    stale: bool
    """Claimed more than a minute ago and still not settled."""


# By the index of lanes, whose pages are cleaned of what is finished by those who write to them.
UNFINISHED = Prepared(
    "sweep_unfinished",
    f"""SELECT m.id::text, m.conversation_id::text, m.line_id::text, m.shard, m.state,
               CASE WHEN m.report IS DISTINCT FROM m.reported THEN 'report' ELSE m.direction END,
               m.state = 'sending' AND m.claimed_at < now() - interval '1 minute',
               m.conversation_id::text, m.direction, m.sort_time::text, m.arrived_at::text, m.idx, m.seq
        FROM message_tracking m
        WHERE m.unfinished AND m.shard = ANY(%(shards)s)
          AND (m.conversation_id, m.direction, m.sort_time, m.arrived_at, m.idx, m.seq)
            > (%(conversation)s, %(direction)s, %(time)s, %(arrived)s, %(idx)s, %(seq)s)
          AND m.conversation_id <= %(last)s
        ORDER BY m.conversation_id, m.direction, m.sort_time, m.arrived_at, m.idx, m.seq LIMIT {PAGE}""",
    shards="smallint[]", conversation="uuid", direction="text", time="timestamptz", arrived="timestamptz",
    idx="integer", seq="bigint", last="uuid",
)  # fmt: skip


def page(cursor: Cursor, shards: Sequence[int], after: Bookmark = START, last: str = LAST) -> list[UnfinishedMessage]:
    """The next PAGE unfinished rows of these shards behind `after`, up to the conversation `last`; fewer mean the end.

    A bounded page per second, walking round: the cost does not grow with the backlog.
    """
    places = ("conversation", "direction", "time", "arrived", "idx", "seq")
    UNFINISHED.run(cursor, shards=shards, last=last, **dict(zip(places, after, strict=True)))
    return [UnfinishedMessage(row[7:], *row[:7]) for row in cursor.fetchall()]


def expire(cursor: Cursor, found: Sequence[UnfinishedMessage], seconds: float) -> None:
    """Calls that nobody settled (their sender vanished) become unknown."""
    stale = sorted(one.message_id for one in found if one.stale)
    if not stale:
        return
    claims.lock(cursor, stale)
    claims.keep_attempts_under_way(cursor, stale)
    cursor.execute(
        f"""UPDATE message_tracking m SET state = 'dead', updated_at = now(), reason_code = %s, reason = %s
            WHERE id = ANY(%s::uuid[]) AND state = 'sending' AND claimed_at < now() - interval '1 minute'
              AND {erased.ERASED}""",
        (erased.CODE, erased.REASON, stale),
    )
    cursor.execute(
        """UPDATE message_tracking
           SET state = 'unknown', updated_at = now(), reason_code = 'no_word', reason = 'the call ended without word',
               unknown_until = now() + make_interval(secs => CASE direction WHEN 'outbound' THEN %s ELSE 0 END)
           WHERE id = ANY(%s::uuid[]) AND state = 'sending' AND claimed_at < now() - interval '1 minute'""",
        (seconds, stale),
    )


def notify(cursor: Cursor, shard: int, conversation_id: str) -> None:
    """Tell the owner of `shard`, whoever that is, that a conversation has work."""
    cursor.execute("SELECT pg_notify('relay_wake', %s)", (f"{shard}:{conversation_id}",))
