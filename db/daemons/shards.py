"""Which daemon owns which shard: leases by the database's clock, epochs that only grow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from db.cursor import Cursor
from db.daemons.versions import OLD_ENOUGH, check_own
from db.mailbox.claims import BEGUN
from relay.core.releases import PREVIOUS, VERSION

SETTLES_SECONDS = 2.0
"""What a dead daemon had sent to Genesys may be seen there only after so long."""
CHANNEL = "relay_shards"
"""Of PostgreSQL's NOTIFY: shards are free."""


@dataclass(frozen=True, slots=True)
class TakenShard:
    """A shard's new epoch, and whether its last owner was found dead: nothing that it began is under way any more."""

    epoch: int
    from_dead: bool


def renew(cursor: Cursor, daemon_id: str, name: str, seconds: float, lock_number: int | None = None) -> None:
    """Take or extend this daemon's lease. Measure the monotonic clock before calling.

    Without the number of a lock that its session holds nobody ends the lease before its time. Raises WrongVersionError
    when a later version has taken away what this one needs.
    """
    cursor.execute(
        f"""INSERT INTO daemons (id, name, lease_until, lock_number, version, previous)
            SELECT %(id)s, %(name)s, now() + make_interval(secs => %(seconds)s), %(lock)s, %(version)s, %(previous)s
            WHERE {OLD_ENOUGH}
            ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, lock_number = excluded.lock_number,
              renewed_at = now(), found_dead_at = NULL RETURNING id""",
        {
            "id": UUID(daemon_id), "name": name, "seconds": seconds, "lock": lock_number, "version": VERSION,
            "previous": PREVIOUS,
        },
    )  # fmt: skip
    if cursor.fetchone() is None:
        check_own(cursor)


def leave(cursor: Cursor, daemon_id: str) -> None:
    """Give everything back at once, so that nobody has to wait for the lease to run out."""
    cursor.execute("UPDATE shards SET owner = NULL, changed_at = now() WHERE owner = %s", (UUID(daemon_id),))
    _tell(cursor)
    cursor.execute("DELETE FROM daemons WHERE id = %s", (UUID(daemon_id),))


def _tell(cursor: Cursor) -> None:
    """Those that listen look at once who owns what, and not within a second."""
    cursor.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


def living(cursor: Cursor) -> list[str]:
    """Ids of the daemons whose lease is not over."""
    cursor.execute("DELETE FROM daemons WHERE lease_until < now() - interval '1 day'")
    cursor.execute("SELECT id::text FROM daemons WHERE lease_until > now()")
    return [row[0] for row in cursor.fetchall()]


def overview(cursor: Cursor) -> tuple[list[str], int, int]:
    """The living daemons' names, how many shards they own, and how many shards there are."""
    cursor.execute("SELECT name FROM daemons WHERE lease_until > now() ORDER BY name LIMIT 100")
    names = [row[0] for row in cursor.fetchall()]
    cursor.execute(
        """SELECT count(d.id), count(*) FROM shards s
           LEFT JOIN daemons d ON d.id = s.owner AND d.lease_until > now()"""
    )
    served, total = cursor.fetchone()
    return names, int(served), int(total)


def owned(cursor: Cursor, daemon_id: str) -> dict[int, int]:
    """Shard number to epoch, as the database sees it."""
    cursor.execute("SELECT n, epoch FROM shards WHERE owner = %s", (UUID(daemon_id),))
    return {row[0]: row[1] for row in cursor.fetchall()}


def take(cursor: Cursor, daemon_id: str, most: int, *, expired: bool = True) -> dict[int, TakenShard]:
    """Take up to `most` shards that nobody living owns. The new epoch shuts the old owner out.

    `expired`: also those whose owner has not given them up, but has let its lease run out.
    """
    cursor.execute(
        """WITH free AS (
             SELECT s.n, s.owner FROM shards s
             WHERE s.owner IS NULL
                OR %(expired)s AND NOT EXISTS (SELECT 1 FROM daemons d WHERE d.id = s.owner AND d.lease_until > now())
             ORDER BY s.n LIMIT %(most)s FOR UPDATE OF s SKIP LOCKED)
           UPDATE shards SET owner = %(me)s, epoch = epoch + 1, changed_at = now() FROM free WHERE shards.n = free.n
           RETURNING shards.n, epoch,
             EXISTS (SELECT 1 FROM daemons d WHERE d.id = free.owner AND d.found_dead_at IS NOT NULL)""",
        {"me": UUID(daemon_id), "most": most, "expired": expired},
    )
    return {row[0]: TakenShard(row[1], row[2]) for row in cursor.fetchall()}


def give_up(cursor: Cursor, daemon_id: str, number: int) -> None:
    cursor.execute(
        "UPDATE shards SET owner = NULL, changed_at = now() WHERE n = %s AND owner = %s", (number, UUID(daemon_id))
    )
    _tell(cursor)


def adopt_claims(
    cursor: Cursor, number: int, epoch: int, *, from_dead: bool = False, ended: Collection[str] = ()
) -> int:
    """Calls that an earlier owner had under way become unknown: their outcome has to be found out.

    `ended`: messages whose call was this process' own, of which it knows the end and has yet to write it.

    To WhatsApp `unknown_until` stays empty until all that was in the shard's queues is taken in: a receipt that
    settles the matter may be there. Of Genesys nothing is to be waited for but the call's own end, which has passed
    where the owner was found dead.
    """
    cursor.execute(
        f"""WITH adopted AS (
             UPDATE message_tracking SET state = 'unknown', updated_at = now(),
                    unknown_until = CASE direction WHEN 'inbound'
                      THEN CASE WHEN %s THEN now() + make_interval(secs => %s)
                                ELSE greatest(now(), deadline_at) END END,
                    deadline_at = CASE WHEN %s THEN least(now(), deadline_at) ELSE deadline_at END,
                    reason_code = 'taken_over', reason = 'the daemon that sent it ended before the answer was written'
             WHERE unfinished AND shard = %s AND (state = 'sending' AND claim_epoch < %s AND id <> ALL (%s::uuid[])
                                   -- adopted before, by an owner that ended before the wait had begun
                                   OR state = 'unknown' AND unknown_until IS NULL)
             RETURNING id, attempts, line_id, claim_epoch, claimed_at, deadline_at
           ), begun AS (
             {BEGUN.format(messages="adopted", which="attempts > 0")}
           )
           SELECT count(*) FROM adopted""",
        (from_dead, SETTLES_SECONDS, from_dead, number, epoch, list(ended)),
    )
    return int(cursor.fetchone()[0])


def date_unknowns(cursor: Cursor, number: int, seconds: float) -> list[str]:
    """Start the wait for the outcomes adopted above; returns the conversations concerned."""
    cursor.execute(
        """UPDATE message_tracking m
           SET unknown_until = greatest(now(), m.deadline_at)
                               + make_interval(secs => CASE m.direction WHEN 'outbound' THEN %s ELSE 0 END)
           WHERE unfinished AND shard = %s AND state = 'unknown' AND unknown_until IS NULL
           RETURNING conversation_id""",
        (seconds, number),
    )
    return sorted({str(row[0]) for row in cursor.fetchall()})
