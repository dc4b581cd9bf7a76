"""catch_ups: lines whose agents' messages are to be asked for at Genesys, since nobody took its webhooks for a while.

How long nobody did is told by a mark in relay_settings that web moves on as long as it takes webhooks. What is asked,
and how much of it, is in `relay.core.catch_up`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from db.audit import Author
from db.contacts.mappings import slot
from db.cursor import Cursor
from db.pool import Pool
from db.tenants.changes import Changes, NotFoundError, TakenError
from relay.core.catch_up import (
    ACTIVE_SECONDS,
    FARTHEST_SECONDS,
    GAP_SECONDS,
    LOOK_AGAIN_SECONDS,
    MARGIN_SECONDS,
    MOST_CONVERSATIONS,
    MOST_TRIES,
    CatchUp,
    GivenUp,
    Talk,
)
from relay.core.genesys_ids import forms, plain

MARK = "webhooks_taken_at"
LOST_AT = "lost_at"
"""In relay_settings, after a restore: until then the lost installation may have carried what no row here tells of."""
TAKING = 7_265_002
"""Of PostgreSQL's advisory locks: one daemon at a time looks whose turn it is."""
BEAT_SECONDS = 5.0
"""The mark is written as often, whatever the number of workers."""
SETTLE_SECONDS = 10.0
"""What Genesys is still repeating comes by itself first."""
LOOKS = 2
"""After an absence."""
NONE_GIVEN_UP = GivenUp()
Outcome = Literal["complete", "incomplete", "failed"]


@dataclass(frozen=True, slots=True)
class DueCatchUp:
    """A line that is this daemon's to catch up with, for now. `since`: Unix seconds; `wish` rises with each."""

    line_id: str
    tenant_id: str
    since: float
    wish: int


WANT = """
INSERT INTO catch_ups (line_id, tenant_id, since, reason, due_at, looks)
SELECT l.id, l.tenant_id, {since}, %(reason)s, now() + make_interval(secs => %(settle)s), %(looks)s
FROM lines l WHERE l.status = 'active' AND {which}
ON CONFLICT (line_id) DO UPDATE SET
    -- what is wanted already may reach further back
    since = CASE WHEN catch_ups.due_at IS NULL THEN excluded.since ELSE least(catch_ups.since, excluded.since) END,
    due_at = least(catch_ups.due_at, excluded.due_at), reason = excluded.reason, wish = catch_ups.wish + 1,
    looks = greatest(excluded.looks, CASE WHEN catch_ups.due_at IS NULL THEN 0 ELSE catch_ups.looks END), tries = 0
RETURNING line_id::text, now()
"""


def still_taking(pool: Pool, given_up: GivenUp = NONE_GIVEN_UP) -> int:
    """Move the mark on; if it stood still for long, all active lines are caught up with. Returns how many are wanted.

    `given_up`, in seconds ago: what this worker refused for long. Written once in BEAT_SECONDS.
    """
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO relay_settings VALUES (%s, now()::text) ON CONFLICT DO NOTHING", (MARK,))
        cursor.execute(
            """SELECT extract(epoch FROM now() - value::timestamptz)::float8 FROM relay_settings
               WHERE name = %s FOR UPDATE""",
            (MARK,),
        )
        away = float(cursor.fetchone()[0])
        if away < BEAT_SECONDS / 2 and given_up == NONE_GIVEN_UP:
            return 0
        cursor.execute("UPDATE relay_settings SET value = now()::text WHERE name = %s", (MARK,))
        absence = max(away if away >= GAP_SECONDS else 0.0, given_up.everywhere or 0.0)
        everywhere = _want_after(cursor, absence, "true") if absence else 0
        if not given_up.lines:
            return everywhere
        farthest = max(given_up.lines.values())
        named = _want_after(cursor, farthest, "l.id = ANY(%(lines)s::uuid[])", list(given_up.lines))
        return max(everywhere, named)


def want_since_backup(cursor: Cursor, lost_at: datetime) -> int:
    """This database comes from a backup: all active lines are caught up with from then on. Returns how many.

    What was written before `lost_at` may have been carried: that is told by `lost_at_of` from now on.
    """
    cursor.execute(
        "INSERT INTO relay_settings VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (LOST_AT, lost_at.isoformat()),
    )
    taken_at = last_taken(cursor)
    if taken_at is None:
        return 0
    cursor.execute("SELECT extract(epoch FROM now() - %s)::float8", (taken_at,))
    return _want_after(cursor, float(cursor.fetchone()[0]), "true")


def last_taken(cursor: Cursor) -> datetime | None:
    """When web last told that it takes webhooks, to a few seconds; None: it never did."""
    cursor.execute("SELECT value::timestamptz FROM relay_settings WHERE name = %s", (MARK,))
    row = cursor.fetchone()
    return row[0] if row else None


def lost_at_of(cursor: Cursor) -> float | None:
    """Unix seconds; None: this database was never restored from a backup."""
    cursor.execute(
        "SELECT extract(epoch FROM value::timestamptz)::float8 FROM relay_settings WHERE name = %s", (LOST_AT,)
    )
    row = cursor.fetchone()
    return row[0] if row else None


def _want_after(cursor: Cursor, absence: float, which: str, line_ids: Sequence[str] = ()) -> int:
    statement = WANT.format(since="now() - make_interval(secs => %(ago)s)", which=which)
    ago = min(absence + MARGIN_SECONDS, FARTHEST_SECONDS)
    given = {"ago": ago, "reason": "absence", "settle": SETTLE_SECONDS, "looks": LOOKS, "lines": list(line_ids)}
    cursor.execute(statement, given)
    return len(cursor.fetchall())


def want(changes: Changes, by: Author, tenant_id: str, line_id: str, seconds: float) -> datetime:
    """Somebody asks for what was written in the last `seconds`. One that begins after the answer's time is this one's.

    Raises NotFoundError when the line is not active, TakenError while it is being caught up with, is next, or waits
    since Genesys could not be asked: asking again and again neither shortens that nor goes on for ever.
    """
    detail = {"hours": round(seconds / 3600, 2)}
    statement = WANT.format(
        since="now() - make_interval(secs => %(ago)s)", which="l.id = %(line)s AND l.tenant_id = %(tenant)s"
    )
    given = {"line": line_id, "tenant": tenant_id, "ago": min(seconds, FARTHEST_SECONDS), "settle": 0.0}
    with changes.of(tenant_id, by, "line.catch_up", subject=line_id, detail=detail) as cursor:
        _refuse_again(cursor, tenant_id, line_id)
        cursor.execute(statement, {**given, "reason": "asked", "looks": 1})
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("there is no such active line")
    wanted: datetime = row[1]
    return wanted


def _refuse_again(cursor: Cursor, tenant_id: str, line_id: str) -> None:
    """Raises TakenError where asking would only repeat what is wanted."""
    cursor.execute(
        """SELECT coalesce(taken_until >= now(), false), due_at <= now(), to_char(due_at, 'HH24:MI "UTC"')
           FROM catch_ups JOIN lines l ON l.id = line_id
           WHERE line_id = %s AND l.tenant_id = %s AND l.status = 'active'
             AND (taken_until >= now() OR due_at <= now() OR due_at > now() AND tries > 0)
           FOR UPDATE OF catch_ups""",
        (line_id, tenant_id),
    )
    row = cursor.fetchone()
    if row is None:
        return
    at_work, is_next, due_at = row
    if at_work:
        text = "the line is being caught up with now; ask again when that has ended"
    elif is_next:
        text = "it is wanted already, and begins as soon as a daemon is free for it"
    else:
        text = f"Genesys could not be asked; by itself it is tried again at {due_at}"
    raise TakenError("wanted_already", text)


def of_line(pool: Pool, line_id: str) -> CatchUp | None:
    """None: it was never wanted."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT line_id::text, since, reason, due_at, coalesce(taken_until > now(), false), begun_at, ended_at,
                 conversations, asked, found, outcome, why FROM catch_ups WHERE line_id = %s""",
            (line_id,),
        )
        row = cursor.fetchone()
    return CatchUp(*row) if row else None


# The daemon's


def take_due(pool: Pool, seconds: float, at_once: int) -> list[DueCatchUp]:
    """Up to `at_once` lines to catch up with now; for `seconds` no other daemon gets them, nor their tenants' others.

    One line of a tenant at a time, over all daemons: however many it has, and however slow its Genesys is, it takes
    one place.
    """
    with pool.transaction() as cursor:
        # Two daemons that look at the same moment would not see what the other one takes.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (TAKING,))
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(
            """UPDATE catch_ups SET taken_until = now() + make_interval(secs => %s), begun_at = now(), ended_at = NULL,
                 conversations = 0, asked = 0, found = 0, outcome = NULL, why = NULL
               WHERE line_id IN (
                 SELECT first.line_id FROM (
                   SELECT DISTINCT ON (c.tenant_id) c.line_id, c.due_at
                   FROM catch_ups c JOIN lines l ON l.id = c.line_id
                   WHERE c.due_at <= now() AND l.status = 'active' AND NOT EXISTS (
                     SELECT 1 FROM catch_ups o WHERE o.tenant_id = c.tenant_id AND o.taken_until >= now())
                   ORDER BY c.tenant_id, c.due_at, c.line_id) first
                 ORDER BY first.due_at, first.line_id LIMIT %s)
               RETURNING line_id::text, tenant_id::text,
                 extract(epoch FROM greatest(since, now() - make_interval(secs => %s)))::float8, wish""",
            (seconds, at_once, FARTHEST_SECONDS),
        )
        return [DueCatchUp(*row) for row in cursor.fetchall()]


def talks(pool: Pool, due: DueCatchUp) -> list[Talk]:
    """The conversations that may have gone on since then, those active last first; one more than are asked about."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT id::text, genesys_address, genesys_conversation_id FROM conversation_mappings
                WHERE line_id = %(line)s AND last_slot >= {slot("to_timestamp(%(since)s)")}
                  AND genesys_conversation_id IS NOT NULL
                ORDER BY last_slot DESC, id LIMIT %(limit)s""",
            {"line": due.line_id, "since": due.since - ACTIVE_SECONDS, "limit": MOST_CONVERSATIONS + 1},
        )
        return [Talk(*row) for row in cursor.fetchall()]


def known(pool: Pool, line_id: str, message_ids: Sequence[str]) -> set[str]:
    """Of Genesys' ids those that the relay has: of an agent's message, or as the answer to a customer's.

    In whatever form they were written down, and in the form in which they are asked about.
    """
    asked = {form: one for one in message_ids for form in forms(one)}
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT source_id FROM message_tracking
               WHERE line_id = %(line)s AND direction = 'outbound' AND source_id = ANY(%(ids)s)
               UNION ALL SELECT provider_id FROM message_attempts
               WHERE line_id = %(line)s AND provider_id = ANY(%(ids)s)""",
            {"line": line_id, "ids": list(asked)},
        )
        return {asked[row[0]] for row in cursor.fetchall()}


def unknown(pool: Pool, conversations: Sequence[str]) -> list[str]:
    """Of Genesys' ids of conversations those that no message here has gone to or come from, in the same order."""
    asked = {form: one for one in conversations for form in forms(one)}
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT genesys_conversation_id FROM genesys_conversations WHERE genesys_conversation_id = ANY(%s)",
            (list(asked),),
        )
        here = {asked[row[0]] for row in cursor.fetchall()}
    return [one for one in conversations if one not in here]


def newest_handed_over(pool: Pool, conversation_id: str) -> str | None:
    """Genesys' id of the newest customer's message that it took, as webhooks write it."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT provider_id FROM message_tracking
               WHERE conversation_id = %s AND direction = 'inbound' AND provider_id IS NOT NULL
               ORDER BY sort_time DESC LIMIT 1""",
            (conversation_id,),
        )
        row = cursor.fetchone()
    return plain(row[0]) if row else None


def keep(pool: Pool, due: DueCatchUp, seconds: float, conversations: int, asked: int, found: int) -> None:
    """Still at it; how far it has come."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE catch_ups SET taken_until = now() + make_interval(secs => %s), conversations = %s, asked = %s,
                 found = %s WHERE line_id = %s""",
            (seconds, conversations, asked, found, due.line_id),
        )


def end(pool: Pool, due: DueCatchUp, outcome: Outcome, why: str | None, *, again: bool) -> None:
    """What it came to. `again`: Genesys could not be asked, so it is begun anew after a pause, MOST_TRIES times.

    A wish that came meanwhile stays wanted.
    """
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE catch_ups SET outcome = %(outcome)s, why = %(why)s, ended_at = now(), taken_until = NULL,
                 looks = CASE WHEN wish = %(wish)s AND NOT %(again)s THEN looks - 1 ELSE looks END,
                 tries = CASE WHEN wish = %(wish)s THEN tries + %(again)s::int ELSE 0 END,
                 due_at = CASE WHEN wish <> %(wish)s AND NOT %(again)s THEN due_at
                               WHEN wish <> %(wish)s THEN now() + make_interval(secs => %(pause)s)
                               WHEN %(again)s AND tries + 1 < %(tries)s OR NOT %(again)s AND looks > 1
                               THEN now() + make_interval(secs => %(pause)s) END
               WHERE line_id = %(line)s""",
            {
                "outcome": outcome, "why": why, "wish": due.wish, "again": again, "tries": MOST_TRIES,
                "pause": LOOK_AGAIN_SECONDS, "line": due.line_id,
            },
        )  # fmt: skip
