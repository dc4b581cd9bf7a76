"""Messages that were given up: rows in state `dead`, listed and sent back to `received`.

Their place in the conversation is their old sort key, and without `claimed_at` they count as never sent: so
those of one conversation go again in their old order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.mailbox import events
from db.paging import Page, decode, page
from db.pool import Pool
from db.views.history import COLUMNS, DIRECTIONS, tracked
from relay.core.explain.steps import Tracked
from relay.core.retry import OLDEST_SECONDS

AT_ONCE = 50
"""So many are sent again at once, by their ids; more of them are a replay's (`db/mailbox/replays.py`)."""
COUNTED = 10_000
NAMED = 20
"""So many ids an entry of the audit log names."""


@dataclass(frozen=True, slots=True)
class DeadLetterSelection:
    """Which ones. Without a tenant: everybody's (operators only)."""

    tenant_id: str | None
    line_id: str | None = None
    direction: str | None = None
    reason_code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Arrived from `since` on and before `until`."""
    died_before: datetime | None = None
    """Keeps a replay from taking up what it has sent itself and what died again."""
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """`refused`: id to why it was left as it is, in words."""

    replayed: list[str]
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Why messages were given up, and how many of the newest COUNTED: one code, with what it said last."""

    code: str | None
    text: str
    count: int


ORDER = "m.sort_time, m.arrived_at, m.idx, m.seq"
"""Of a lane."""

# Line by line, so that what is asked for lies together in message_tracking_state.
FOUND = """FROM lines l CROSS JOIN unnest(%(directions)s) d CROSS JOIN LATERAL (
    SELECT * FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = 'dead' AND m.direction = d
      AND m.emptied_at IS NULL {conditions} ORDER BY m.arrived_at {way}, m.seq {way} LIMIT %(limit)s) m WHERE {lines}"""


UP_TO = f"""SELECT id FROM (
  SELECT m.id, row_number() OVER (PARTITION BY m.line_id, m.direction ORDER BY {ORDER}) AS place
  FROM unnest(%(conversations)s::uuid[], %(ways)s::text[], %(ends)s::timestamptz[]) v (id, way, at)
  CROSS JOIN LATERAL (
    SELECT * FROM message_tracking m WHERE m.conversation_id = v.id AND m.sort_time <= v.at AND m.direction = v.way
    AND m.state = 'dead' AND m.emptied_at IS NULL {{conditions}} AND NOT EXISTS (
      SELECT 1 FROM message_events e WHERE e.message_id = m.id AND e.event = 'replayed' AND e.at >= %(back_since)s)
    ORDER BY {ORDER} LIMIT %(most)s) m) m
ORDER BY place LIMIT %(most)s"""


def listed(pool: Pool, wanted: DeadLetterSelection, limit: int = 50) -> Page[Tracked]:
    """The newest first. Raises CursorError."""
    found, values = _found(wanted, "DESC", limit + 1)
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} {found} ORDER BY m.arrived_at DESC, m.seq DESC LIMIT %(limit)s", values)
        rows = [tracked(row) for row in cursor.dicts()]
    return page(rows, limit, lambda one: (one.arrived_at, one.seq))


def count(pool: Pool, wanted: DeadLetterSelection, most: int = COUNTED) -> int:
    """How many there are; `most` means that many or more."""
    with pool.autocommit() as cursor:
        return counted(cursor, wanted, most)


def counted(cursor: Cursor, wanted: DeadLetterSelection, most: int, ids: Sequence[str] | None = None) -> int:
    """The same in the caller's transaction, of all or of those named."""
    found, values = _found(wanted, "ASC", most, ids)
    cursor.execute(f"SELECT count(*) FROM (SELECT 1 {found} LIMIT %(limit)s) AS found", values)
    return int(cursor.fetchone()[0])


def reasons(pool: Pool, wanted: DeadLetterSelection) -> list[ReasonCount]:
    """The most frequent first."""
    found, values = _found(wanted, "DESC", COUNTED)
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT reason_code AS code, coalesce((array_agg(reason ORDER BY arrived_at DESC))[1], '') AS text,
                       count(*) AS count
                FROM (SELECT m.reason_code, m.reason, m.arrived_at {found} ORDER BY m.arrived_at DESC LIMIT %(limit)s) f
                GROUP BY reason_code ORDER BY count(*) DESC, reason_code""",
            values,
        )
        return cursor.all(ReasonCount)


def replay(pool: Pool, by: Author, tenant_id: str | None, ids: Sequence[str]) -> Replayed:
    """Send these again, AT_ONCE at most. Failed ones too, while they are not too old to be worth it."""
    wanted = list(dict.fromkeys(ids))[:AT_ONCE]
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT id, CASE WHEN emptied_at IS NULL THEN state ELSE 'empty' END,
                 failed_at < now() - make_interval(secs => %s) FROM message_tracking
               WHERE id = ANY(%s::uuid[]) AND (%s::uuid IS NULL OR tenant_id = %s) ORDER BY id FOR UPDATE""",
            (OLDEST_SECONDS, wanted, tenant_id, tenant_id),
        )
        found = {str(row[0]): _why_not(row[1], bool(row[2])) for row in cursor.fetchall()}
        refused = {one: why for one in wanted if (why := found.get(one, "there is no such message"))}
        chosen = [one for one in wanted if one not in refused]
        _record(cursor, by, _back(cursor, by.actor, chosen))
    return Replayed(chosen, refused)


def _found(
    wanted: DeadLetterSelection, way: str, limit: int, ids: Sequence[str] | None = None
) -> tuple[str, dict[str, Any]]:
    """FROM and WHERE of the messages that match, at most `limit` of each line and direction."""
    extra, values = conditions(wanted, ids)
    lines = ["true"]
    if wanted.tenant_id is not None:
        lines.append("l.tenant_id = %(tenant)s")
    if wanted.line_id is not None:
        lines.append("l.id = %(line)s")
    values |= {
        "tenant": wanted.tenant_id,
        "line": wanted.line_id,
        "directions": [wanted.direction] if wanted.direction else list(DIRECTIONS),
        "limit": limit,
    }
    return FOUND.format(conditions=extra, way=way, lines=" AND ".join(lines)), values


def conditions(wanted: DeadLetterSelection, ids: Sequence[str] | None = None) -> tuple[str, dict[str, Any]]:
    """What a message `m` has to meet beside its tenant, line and direction: SQL, and the values in it."""
    sql = ""
    values: dict[str, Any] = {}
    if ids is not None:
        sql += " AND m.id = ANY(%(ids)s::uuid[])"
        values["ids"] = list(ids)
    if wanted.reason_code is not None:
        sql += " AND m.reason_code = %(reason)s"
        values["reason"] = wanted.reason_code
    if wanted.since is not None:
        sql += " AND m.arrived_at >= %(since)s"
        values["since"] = wanted.since
    if wanted.until is not None:
        sql += " AND m.arrived_at < %(until)s"
        values["until"] = wanted.until
    if wanted.died_before is not None:
        sql += " AND m.failed_at < %(died_before)s"
        values["died_before"] = wanted.died_before
    if wanted.before is not None:
        sql += " AND (m.arrived_at, m.seq) < (%(before_at)s, %(before_seq)s)"
        values["before_at"], values["before_seq"] = decode(wanted.before, datetime, int)
    return sql, values


def up_to(
    cursor: Cursor,
    wanted: DeadLetterSelection,
    chosen: Sequence[tuple[UUID, str, datetime]],
    since: datetime,
    most: int,
    ids: Sequence[str] | None = None,
) -> list[str]:
    """Arrival and order differ a little: what matches of the same lanes up to the last one `chosen` of each.

    `chosen`: conversation, direction and sort time. Of each lane the first ones, `most` in all, from each line and
    direction in turn. What went back since then (`put_back`) is not among them.
    """
    last: dict[tuple[UUID, str], datetime] = {}
    for conversation_id, direction, at in chosen:
        lane = (conversation_id, direction)
        last[lane] = max(last.get(lane, at), at)
    extra, values = conditions(wanted, ids)
    values |= {
        "conversations": [lane[0] for lane in last],
        "ways": [lane[1] for lane in last],
        "ends": list(last.values()),
        "back_since": since,
        "most": most,
    }
    cursor.execute(UP_TO.format(conditions=extra), values)
    return [str(row[0]) for row in cursor.fetchall()]


def put_back(cursor: Cursor, actor: str, ids: Sequence[str], since: datetime) -> list[str]:
    """Those of them that are dead, back in their conversations, in the caller's transaction.

    What went back since then has died again, whatever the clock of its daemon says: it is left.
    """
    cursor.execute(
        """SELECT m.id FROM message_tracking m WHERE m.id = ANY(%s::uuid[]) AND m.state = 'dead'
           AND NOT EXISTS (SELECT 1 FROM message_events e
                           WHERE e.message_id = m.id AND e.event = 'replayed' AND e.at >= %s)
           ORDER BY m.id FOR UPDATE OF m""",
        (list(ids), since),
    )
    dead = [str(row[0]) for row in cursor.fetchall()]
    _back(cursor, actor, dead)
    return dead


def _why_not(state: str, old: bool) -> str:
    if state == "dead":
        return ""
    if state == "failed":
        return "it failed more than seven days ago" if old else ""
    if state == "empty":
        return "its contents have ended: there is nothing left to send"
    return f"it is {state}: only what was given up or failed can be replayed"


def _back(cursor: Cursor, actor: str, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Back to `received`, and told to the owners of their shards: (id, tenant)."""
    if not ids:
        return []
    cursor.execute(
        """UPDATE message_tracking
           SET state = 'received', claimed_at = NULL, next_attempt_at = NULL, unknown_until = NULL,
               provider_id = NULL, sent_at = NULL, failed_at = NULL, reason_code = NULL, reason = NULL,
               report = NULL, reported = NULL, updated_at = now()
           WHERE id = ANY(%s::uuid[]) RETURNING id, tenant_id, shard, conversation_id""",
        (list(ids),),
    )
    rows = cursor.fetchall()
    events.note(cursor, [(str(row[0]), "replayed", f"by {actor}") for row in rows])
    told = sorted({f"{row[2]}:{row[3]}" for row in rows})
    cursor.execute("SELECT pg_notify('relay_wake', one) FROM unnest(%s::text[]) one", (told,))
    return [(str(row[0]), str(row[1])) for row in rows]


def _record(cursor: Cursor, by: Author, rows: Sequence[tuple[str, str]]) -> None:
    for tenant_id in sorted({tenant for _, tenant in rows}):
        own = [one for one, tenant in rows if tenant == tenant_id]
        detail = {"count": len(own), "messages": own[:NAMED]}
        audit.record(cursor, by, "message.replayed", tenant_id=tenant_id, detail=detail)
