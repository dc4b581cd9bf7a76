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
from db.mailbox import events
from db.paging import Page, decode, page
from db.pool import Pool
from db.views.history import COLUMNS, DIRECTIONS, tracked
from relay.core.explain.steps import Tracked
from relay.core.retry import OLDEST_SECONDS

AT_ONCE = 500
COUNTED = 10_000
NAMED = 20
"""So many ids an entry of the audit log names."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which ones. Without a tenant: everybody's (operators only)."""

    tenant_id: str | None
    line_id: str | None = None
    direction: str | None = None
    reason_code: str | None = None
    since: datetime | None = None
    died_before: datetime | None = None
    """Keeps a replay of all from taking up what it has sent itself and what died again."""
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """`refused`: id to why it was left as it is, in words."""

    replayed: list[str]
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class Slice:
    """`left` counts what still matches, up to COUNTED."""

    replayed: int
    left: int


# Line by line, so that what is asked for lies together in message_tracking_state.
FOUND = """FROM lines l CROSS JOIN unnest(%(directions)s) d CROSS JOIN LATERAL (
    SELECT * FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = 'dead' AND m.direction = d {conditions}
    ORDER BY m.arrived_at {way}, m.seq {way} LIMIT %(limit)s) m WHERE {lines}"""


def listed(pool: Pool, wanted: Filter, limit: int = 50) -> Page[Tracked]:
    """The newest first. Raises CursorError."""
    found, values = _found(wanted, "DESC", limit + 1)
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} {found} ORDER BY m.arrived_at DESC, m.seq DESC LIMIT %(limit)s", values)
        rows = [tracked(row) for row in cursor.fetchall()]
    return page(rows, limit, lambda one: (one.arrived_at, one.seq))


def count(pool: Pool, wanted: Filter, most: int = COUNTED) -> int:
    """How many there are; `most` means that many or more."""
    found, values = _found(wanted, "ASC", most)
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 {found} LIMIT %(limit)s) AS found", values)
        return int(cursor.fetchone()[0])


def replay(pool: Pool, by: Author, tenant_id: str | None, ids: Sequence[str]) -> Replayed:
    """Send these again, AT_ONCE at most. Failed ones too, while they are not too old to be worth it."""
    wanted = list(dict.fromkeys(ids))[:AT_ONCE]
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT id, state, failed_at < now() - make_interval(secs => %s) FROM message_tracking
               WHERE id = ANY(%s::uuid[]) AND (%s::uuid IS NULL OR tenant_id = %s) ORDER BY id FOR UPDATE""",
            (OLDEST_SECONDS, wanted, tenant_id, tenant_id),
        )
        found = {str(row[0]): _why_not(row[1], bool(row[2])) for row in cursor.fetchall()}
        refused = {one: why for one in wanted if (why := found.get(one, "there is no such message"))}
        chosen = [one for one in wanted if one not in refused]
        _revive(cursor, by, chosen)
    return Replayed(chosen, refused)


def replay_all(pool: Pool, by: Author, wanted: Filter, most: int = AT_ONCE) -> Slice:
    """Send the oldest `most` that match again; ask once more while some are left.

    In a conversation nothing is skipped: whatever of it sorts before the last of the slice goes with it.
    """
    found, values = _found(wanted, "ASC", most)
    with pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT m.id, m.conversation_id, m.direction, m.sort_time {found}
                ORDER BY m.arrived_at, m.seq LIMIT %(limit)s""",
            values,
        )
        rows = cursor.fetchall()
        chosen = {str(row[0]) for row in rows} | _before(cursor, wanted, rows)
        cursor.execute(
            "SELECT id FROM message_tracking WHERE id = ANY(%s::uuid[]) AND state = 'dead' ORDER BY id FOR UPDATE",
            (sorted(chosen),),
        )
        ids = [str(row[0]) for row in cursor.fetchall()]
        _revive(cursor, by, ids)
    # After the commit: counting must not hold the rows that were just sent back.
    return Slice(len(ids), count(pool, wanted))


def _found(wanted: Filter, way: str, limit: int) -> tuple[str, dict[str, Any]]:
    """FROM and WHERE of the messages that match, at most `limit` of each line and direction."""
    conditions, values = _conditions(wanted)
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
    return FOUND.format(conditions=conditions, way=way, lines=" AND ".join(lines)), values


def _conditions(wanted: Filter) -> tuple[str, dict[str, Any]]:
    conditions = ""
    values: dict[str, Any] = {}
    if wanted.reason_code is not None:
        conditions += " AND m.reason_code = %(reason)s"
        values["reason"] = wanted.reason_code
    if wanted.since is not None:
        conditions += " AND m.arrived_at >= %(since)s"
        values["since"] = wanted.since
    if wanted.died_before is not None:
        conditions += " AND m.failed_at < %(died_before)s"
        values["died_before"] = wanted.died_before
    if wanted.before is not None:
        conditions += " AND (m.arrived_at, m.seq) < (%(before_at)s, %(before_seq)s)"
        values["before_at"], values["before_seq"] = decode(wanted.before, datetime, int)
    return conditions, values


def _before(cursor: Any, wanted: Filter, rows: Sequence[Sequence[Any]]) -> set[str]:
    """Arrival and order differ a little: what matches of the same lanes and sorts before their last one here."""
    last: dict[tuple[UUID, str], datetime] = {}
    for _, conversation_id, direction, at in rows:
        lane = (conversation_id, direction)
        last[lane] = max(last.get(lane, at), at)
    conditions, values = _conditions(wanted)
    values |= {
        "conversations": [lane[0] for lane in last],
        "ways": [lane[1] for lane in last],
        "ends": list(last.values()),
    }
    cursor.execute(
        f"""SELECT m.id
            FROM unnest(%(conversations)s::uuid[], %(ways)s::text[], %(ends)s::timestamptz[]) v (id, way, at)
            JOIN message_tracking m ON m.conversation_id = v.id AND m.sort_time <= v.at
             AND m.direction = v.way AND m.state = 'dead' {conditions}""",
        values,
    )
    return {str(row[0]) for row in cursor.fetchall()}


def _why_not(state: str, old: bool) -> str:
    if state == "dead":
        return ""
    if state == "failed":
        return "it failed more than seven days ago" if old else ""
    return f"it is {state}: only what was given up or failed can be replayed"


def _revive(cursor: Any, by: Author, ids: Sequence[str]) -> None:
    """Back to `received`, told to the owners of their shards, and written down."""
    if not ids:
        return
    cursor.execute(
        """UPDATE message_tracking
           SET state = 'received', claimed_at = NULL, next_attempt_at = NULL, unknown_until = NULL,
               provider_id = NULL, sent_at = NULL, failed_at = NULL, reason_code = NULL, reason = NULL,
               report = NULL, reported = NULL, updated_at = now()
           WHERE id = ANY(%s::uuid[]) RETURNING id, tenant_id, shard, conversation_id""",
        (list(ids),),
    )
    rows = cursor.fetchall()
    events.note(cursor, [(str(row[0]), "replayed", f"by {by.actor}") for row in rows])
    for tenant_id in sorted({str(row[1]) for row in rows}):
        own = [str(row[0]) for row in rows if str(row[1]) == tenant_id]
        detail = {"count": len(own), "messages": own[:NAMED]}
        audit.record(cursor, by, "message.replayed", tenant_id=tenant_id, detail=detail)
    told = sorted({f"{row[2]}:{row[3]}" for row in rows})
    cursor.execute("SELECT pg_notify('relay_wake', one) FROM unnest(%s::text[]) one", (told,))
