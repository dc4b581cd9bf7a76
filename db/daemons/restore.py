"""Taking a database into use that comes from a backup: nobody of before may send, and what waits may have been sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.daemons import home, versions
from db.daemons.reshard import StillRunningError
from db.mailbox.claims import BEGUN
from db.pool import Pool
from db.tenants import catch_ups
from relay.core import restored

BEYOND = 1_000_000_000
"""No daemon of before has an epoch as high."""
BY = Author("command line")
WAITS = "unfinished AND state IN ('received', 'sending', 'unknown')"


class WrongTimeError(ValueError):
    """The installation cannot have been lost then; the text says why."""


@dataclass(frozen=True, slots=True)
class TakenIntoUse:
    """What waited in the backup and is not sent, what is looked for at Genesys first, the lines to catch up with."""

    given_up: int
    looked_for: int
    lines: int


def take_into_use(pool: Pool, lost_at: datetime) -> TakenIntoUse:
    """`lost_at`: until when the lost installation may have sent. Can be repeated as long as nothing was started.

    Raises WrongTimeError, StillRunningError while somebody serves the database, and DatabaseError.
    """
    with pool.transaction() as cursor:
        cursor.execute("LOCK TABLE shards, daemons, webs IN EXCLUSIVE MODE")
        _check(cursor, lost_at)
        cursor.execute("DELETE FROM daemons")
        cursor.execute("DELETE FROM webs")
        cursor.execute("UPDATE shards SET owner = NULL, epoch = epoch + %s, changed_at = now()", (BEYOND,))
        cursor.execute(BEGUN.format(messages="message_tracking", which="unfinished AND state = 'sending'"))
        found = TakenIntoUse(_give_up(cursor), _doubt(cursor), catch_ups.want_since_backup(cursor, lost_at))
        home.settle(cursor)
        detail = {"lost_at": lost_at.isoformat(), "given_up": found.given_up, "looked_for": found.looked_for}
        audit.record(cursor, BY, "installation.restored", detail=detail)
    return found


def _check(cursor: Cursor, lost_at: datetime) -> None:
    at_work = versions.living(cursor)
    if at_work:
        raise StillRunningError(
            f"stop web and every daemon first; still running: {', '.join(map(str, at_work))}. (Who ended without a "
            "word counts for 15 s after its last one.)"
        )
    cursor.execute("SELECT %s > now()", (lost_at,))
    if cursor.fetchone()[0]:
        raise WrongTimeError("that time is yet to come: say when the installation was lost")
    taken_at = catch_ups.last_taken(cursor)
    if taken_at is not None and lost_at < taken_at:
        raise WrongTimeError(
            f"web still took webhooks at {taken_at.astimezone().isoformat(timespec='seconds')}, says this backup: "
            "the installation was lost later than that"
        )


def _give_up(cursor: Cursor) -> int:
    """WhatsApp cannot be asked. A status that bears the message's id still settles it."""
    cursor.execute(
        f"""WITH lost AS (
              UPDATE message_tracking SET state = 'dead', reason_code = %(code)s, reason = %(reason)s,
                     failed_at = now(), next_attempt_at = NULL, unknown_until = NULL, updated_at = now()
              WHERE {WAITS} AND direction = 'outbound' RETURNING id
            ), noted AS (
              INSERT INTO message_events (message_id, event, detail) SELECT id, 'dead', %(reason)s FROM lost
            )
            SELECT count(*) FROM lost""",
        {"code": restored.CODE, "reason": restored.UNKNOWN},
    )
    return int(cursor.fetchone()[0])


def _doubt(cursor: Cursor) -> int:
    """Genesys is asked before anything is sent, as after any call of unknown end."""
    cursor.execute(
        f"""UPDATE message_tracking SET state = 'unknown', reason_code = %s, reason = %s, unknown_until = now(),
                   next_attempt_at = NULL, updated_at = now()
            WHERE {WAITS} AND direction = 'inbound'""",
        (restored.CODE, restored.UNKNOWN),
    )
    return int(cursor.rowcount)
