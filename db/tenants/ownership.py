"""Lines that wait for proof of whose they are, owners whose proof is doubted, and lines that are let go.

Whoever has a line that is `pending` with `ask_at` is asked for by the daemons at that time, with growing pauses and
an end. What the proof is, and who decides, is in `relay.checks.ownership`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.mailbox import events, notices
from db.mailbox.notices import NewNotice
from db.pool import Pool
from db.tenants.changes import Changes, NotFoundError, TakenError
from db.tenants.onboarding import COLUMNS, Line, line_of

FIRST_SECONDS = 30.0
LONGEST_SECONDS = 4 * 3600.0
MOST_ASKED = 90
"""About two weeks: pauses double up to LONGEST_SECONDS."""
AT_ONCE = 8
DISPUTE_GAP_SECONDS = LONGEST_SECONDS + 3600.0
"""Whoever asks for a line asks at least this often: after a longer silence a dispute begins anew."""
ENDED_AT_ONCE = 500
REASON_LENGTH = 1000
RELEASED = "line_released"
NO_REASON = "released by the operator"
RELAY = Author("relay")


@dataclass(frozen=True, slots=True)
class DueLine:
    """A line whose time to be asked about has come. `asked`: how often it was; `until`: so long it is this daemon's."""

    line_id: str
    tenant_id: str
    asked: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """Another tenant's live line that has the number or the integration in question."""

    line_id: str
    tenant_id: str
    side: Literal["whatsapp", "genesys"]


def pause(asked: int) -> float:
    """Seconds until the next asking: half a minute at first, four hours at last."""
    return min(FIRST_SECONDS * 2.0 ** min(asked, 32), LONGEST_SECONDS)


def wait(changes: Changes, by: Author, tenant_id: str, line_id: str, reason: str) -> None:
    """The line waits for proof from now on, and is asked about. One that is live or released stays what it is."""
    with changes.of(tenant_id, by, "line.waits", subject=line_id, detail={"reason": reason[:REASON_LENGTH]}) as cursor:
        cursor.execute(
            """UPDATE lines SET status = 'pending', status_reason = %s, asked = 0,
                 ask_at = now() + make_interval(secs => %s), updated_at = now()
               WHERE id = %s AND tenant_id = %s AND status IN ('pending', 'refused')""",
            (reason[:REASON_LENGTH], pause(0), line_id, tenant_id),
        )


def take_due(pool: Pool, seconds: float) -> list[DueLine]:
    """Up to AT_ONCE lines to ask about now, one of each tenant; for `seconds` no other daemon gets them."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE lines SET ask_at = now() + make_interval(secs => %s) WHERE id = ANY(ARRAY(
                 SELECT l.id FROM lines l WHERE l.ask_at <= now() AND NOT EXISTS (
                   SELECT 1 FROM lines e WHERE e.tenant_id = l.tenant_id AND (e.ask_at, e.id) < (l.ask_at, l.id))
                 ORDER BY l.ask_at, l.id LIMIT %s FOR UPDATE SKIP LOCKED))
               RETURNING id, tenant_id, asked, ask_at""",
            (seconds, AT_ONCE),
        )
        return [DueLine(str(row[0]), str(row[1]), *row[2:]) for row in cursor.fetchall()]


def is_ours(pool: Pool, due: DueLine) -> bool:
    """Nobody has changed since when the line is to be asked about."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT 1 FROM lines WHERE id = %s AND ask_at = %s", (due.line_id, due.until))
        return cursor.fetchone() is not None


def ask_later(changes: Changes, due: DueLine, reason: str) -> None:
    """Still no proof: once more after a longer pause, or, after MOST_ASKED times, not any more."""
    asked = due.asked + 1
    if asked >= MOST_ASKED:
        _give_up(changes, due, reason)
        return
    # Of a pause that only grows nobody is told: the audit log holds what changes.
    with changes.pool.transaction() as cursor:
        cursor.execute(
            """UPDATE lines SET status_reason = %s, asked = %s, ask_at = now() + make_interval(secs => %s),
                 updated_at = now() WHERE id = %s AND ask_at = %s""",
            (reason[:REASON_LENGTH], asked, pause(asked), due.line_id, due.until),
        )


def _give_up(changes: Changes, due: DueLine, reason: str) -> None:
    said = f"nobody asks any more, after two weeks; complete the onboarding again. {reason}"[:REASON_LENGTH]
    with changes.of(due.tenant_id, RELAY, "line.given_up", subject=due.line_id, detail={"reason": said}) as cursor:
        cursor.execute(
            """UPDATE lines SET status_reason = %s, ask_at = NULL, updated_at = now()
               WHERE id = %s AND ask_at = %s""",
            (said, due.line_id, due.until),
        )


def owners(pool: Pool, tenant_id: str, phone_number_id: str, integration_id: str) -> list[Owner]:
    """Other tenants' live lines that have one of these ids: two at most."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT id, tenant_id, 'whatsapp' FROM lines
               WHERE status = 'active' AND tenant_id <> %(tenant)s AND phone_number_id = %(number)s
               UNION ALL SELECT id, tenant_id, 'genesys' FROM lines
               WHERE status = 'active' AND tenant_id <> %(tenant)s AND integration_id = %(integration)s""",
            {"tenant": tenant_id, "number": phone_number_id, "integration": integration_id},
        )
        return [Owner(str(row[0]), str(row[1]), row[2]) for row in cursor.fetchall()]


def dispute(changes: Changes, owner: Owner, reason: str) -> float:
    """The provider refuses this owner's credentials while somebody else has proof. Returns for how many seconds so far.

    The first time its people are told; what the line does is not changed.
    """
    with changes.pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE lines SET dispute_seen_at = now()
               WHERE id = %s AND dispute_seen_at > now() - make_interval(secs => %s)
               RETURNING extract(epoch FROM now() - disputed_at)""",
            (owner.line_id, DISPUTE_GAP_SECONDS),
        )
        row = cursor.fetchone()
    if row is not None:
        return float(row[0])
    detail = {"reason": reason}
    with changes.of(owner.tenant_id, RELAY, "line.disputed", subject=owner.line_id, detail=detail) as cursor:
        cursor.execute(
            "UPDATE lines SET disputed_at = now(), dispute_seen_at = now() WHERE id = %s AND status = 'active'",
            (owner.line_id,),
        )
        notices.keep(cursor, [_notice(owner.tenant_id, owner.line_id, "line_disputed", reason)])
    return 0.0


def settle_dispute(pool: Pool, line_id: str) -> None:
    """The owner's own proof holds again."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "UPDATE lines SET disputed_at = NULL, dispute_seen_at = NULL WHERE id = %s AND disputed_at IS NOT NULL",
            (line_id,),
        )


def release(
    changes: Changes, by: Author, tenant_id: str, line_id: str, reason: str, detail: Mapping[str, Any] | None = None
) -> Line:
    """The line owns its ids no more; its history stays with its tenant, whose people are told.

    Raises NotFoundError, and TakenError when it is released already.
    """
    said = reason[:REASON_LENGTH]
    with changes.of(
        tenant_id, by, "line.released", subject=line_id, detail={"reason": said, **(detail or {})}
    ) as cursor:
        cursor.execute("SELECT status FROM lines WHERE id = %s AND tenant_id = %s FOR UPDATE", (line_id, tenant_id))
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("there is no such line")
        if row[0] == "released":
            raise TakenError("line_released", "this line was released already")
        cursor.execute(
            f"""UPDATE lines SET status = 'released', status_reason = %s, released_at = now(), ask_at = NULL,
                  disputed_at = NULL, dispute_seen_at = NULL, updated_at = now() WHERE id = %s RETURNING {COLUMNS}""",
            (said, line_id),
        )
        line = line_of(cursor.fetchone())
        notices.keep(cursor, [_notice(tenant_id, line_id, RELEASED, said)])
        return line


def note_transfer(pool: Pool, owner: Owner, tenant_id: str, line_id: str) -> None:
    """For the operator, who alone may know both sides of it."""
    with pool.transaction() as cursor:
        detail = {"side": owner.side, "from_tenant": owner.tenant_id, "to_tenant": tenant_id, "to_line": line_id}
        audit.record(cursor, RELAY, "line.transferred", subject=owner.line_id, detail=detail)


def _notice(tenant_id: str, line_id: str, kind: str, reason: str) -> NewNotice:
    now = time.time()
    return NewNotice(tenant_id, line_id, "relay", kind, reason, {"at": int(now)}, now)


def find(pool: Pool, ref: str) -> list[Line]:
    """All lines of everybody that have this phone number id, integration id or line id, the live ones first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} FROM lines
                WHERE phone_number_id = %(ref)s OR integration_id = %(ref)s OR id::text = lower(%(ref)s)
                ORDER BY status <> 'active', id LIMIT 100""",
            {"ref": ref},
        )
        return [line_of(row) for row in cursor.fetchall()]


def end_waiting(pool: Pool) -> int:
    """Give up what waits on released lines, a bounded number at a time, whenever it came. Returns how many."""
    with pool.transaction() as cursor:
        # A call under way ends first.
        cursor.execute(
            """SELECT m.id FROM lines l CROSS JOIN (VALUES ('received'), ('unknown')) s (state)
               CROSS JOIN LATERAL (SELECT w.id FROM message_tracking w
                                   WHERE w.line_id = l.id AND w.listed_as = s.state AND w.state = s.state
                                   LIMIT %(most)s) m
               WHERE l.released_at IS NOT NULL LIMIT %(most)s""",
            {"most": ENDED_AT_ONCE},
        )
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            """SELECT m.id FROM message_tracking m JOIN lines l ON l.id = m.line_id
               WHERE m.unfinished AND m.report IS DISTINCT FROM m.reported AND m.state <> 'sending'
                 AND l.released_at IS NOT NULL LIMIT %s""",
            (ENDED_AT_ONCE,),
        )
        ids = sorted({*ids, *(row[0] for row in cursor.fetchall())})
        if ids:
            _end(cursor, ids)
        return len(ids)


def _end(cursor: Cursor, ids: Sequence[Any]) -> None:
    """Locked in the order of all transactions. Nobody is told of it, since the way there is gone."""
    cursor.execute("SELECT 1 FROM message_tracking WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (list(ids),))
    cursor.execute(
        """UPDATE message_tracking SET state = 'dead', reason_code = %s, failed_at = now(), next_attempt_at = NULL,
             unknown_until = NULL, updated_at = now(), reason = 'the line was released before this was carried'
           WHERE id = ANY(%s) AND state IN ('received', 'unknown') RETURNING id""",
        (RELEASED, list(ids)),
    )
    ended = [str(row[0]) for row in cursor.fetchall()]
    events.note(cursor, [(one, "dead", "the line was released") for one in ended])
    cursor.execute(
        "UPDATE message_tracking SET report = reported, updated_at = now() WHERE id = ANY(%s) AND state <> 'sending'",
        (list(ids),),
    )
