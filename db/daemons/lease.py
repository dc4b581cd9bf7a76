"""A daemon's lease, and how others know at once that it has died.

The lease is renewed over a session of its own, which holds an advisory lock: PostgreSQL frees that when the process
is gone, long before the lease is over. A session may end without its daemon, so the lock alone says nothing: who has
not renewed for a while either, although PostgreSQL could be reached, is found dead. Whoever is wrong about that does
no harm: claims of the old epoch fail.
"""

from __future__ import annotations

import math
import time
from typing import Any
from uuid import UUID

import psycopg2

from db.cursor import Cursor
from db.daemons import shards
from db.errors import away
from db.pool import Pool

LOCKS = 0x52454C41
"""What sets the daemons' advisory locks apart from others of the database; the second key is `lock_number`."""
ALONE = 0
"""The lock of a daemon that may have none beside it."""
SILENT_SECONDS = 3.0
"""Without its lock, and without a renewal for so long, a daemon counts as dead."""
SETTLED_SECONDS = 3.0
"""So long one has to have renewed steadily before others are judged: they, too, come back after PostgreSQL did."""
STALLED_SECONDS = 2.0
"""Renewals that lie further apart are not steady: PostgreSQL, or this process, stood still in between."""


class AnotherDaemonError(RuntimeError):
    """Another daemon serves this installation, which can have one only; the text says why."""


class LeaseSession:
    """For one daemon. `alone`: no other may be beside it."""

    def __init__(self, pool: Pool, daemon_id: str, name: str, *, alone: bool) -> None:
        self._pool = pool
        self._daemon_id = daemon_id
        self._name = name
        self._alone = alone
        self._connection: Any = None
        self._lock_number: int | None = None
        self._renewed_at = -math.inf
        self._steady_since = math.inf
        self._begun_at = math.inf

    def renew(self, lease: float, seconds: float) -> dict[int, int]:
        """Take or extend the lease of `lease` seconds, within `seconds`; answers with the shards owned, and the epochs.

        Measure the monotonic clock before calling. Raises DatabaseError; the next call begins a session anew.
        Raises AnotherDaemonError.
        """
        try:
            connection = self._session(seconds)
            connection.deadline = time.monotonic() + seconds
            with connection, connection.cursor() as cursor:
                shards.renew(cursor, self._daemon_id, self._name, lease, self._lock_number)
                owned = shards.owned(cursor, self._daemon_id)
        except psycopg2.Error as error:
            self.close()
            raise away(error) from error
        except BaseException:
            self.close()
            raise
        self._note_renewal(time.monotonic())
        return owned

    @property
    def settled(self) -> bool:
        """Whether the others, too, have had time to come back since PostgreSQL could not be reached."""
        return time.monotonic() - self._begun_at >= SETTLED_SECONDS

    def _note_renewal(self, now: float) -> None:
        self._begun_at = min(self._begun_at, now)
        if now - self._renewed_at > STALLED_SECONDS:
            self._steady_since = now
        self._renewed_at = now

    def end_leases_of_the_dead(self) -> list[str]:
        """Names of daemons that were found dead just now. Raises DatabaseError."""
        if self._connection is None or time.monotonic() - self._steady_since < SETTLED_SECONDS:
            return []
        with self._pool.transaction() as cursor:
            cursor.execute(
                """UPDATE daemons SET lease_until = least(lease_until, now()), found_dead_at = now()
                   WHERE found_dead_at IS NULL AND lock_number IS NOT NULL AND id <> %s
                     AND renewed_at < now() - make_interval(secs => %s)
                     -- PostgreSQL may have stood still since the last renewal of whoever judges
                     AND EXISTS (SELECT 1 FROM daemons me
                                 WHERE me.id = %s AND me.renewed_at > now() - make_interval(secs => %s))
                     AND lock_number NOT IN (
                       SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                   RETURNING name""",
                (UUID(self._daemon_id), SILENT_SECONDS, UUID(self._daemon_id), STALLED_SECONDS, LOCKS),
            )
            return [row[0] for row in cursor.fetchall()]

    def close(self) -> None:
        connection, self._connection, self._lock_number = self._connection, None, None
        self._renewed_at, self._begun_at = -math.inf, math.inf
        if connection is not None:
            connection.close()

    def _session(self, seconds: float) -> Any:
        if self._connection is None:
            connection = self._connection = self._pool.connection()
            connection.deadline = time.monotonic() + seconds
            with connection, connection.cursor() as cursor:
                self._lock(cursor)
        return self._connection

    def _lock(self, cursor: Cursor) -> None:
        """A new number for each session: the server may not know yet that the last one is gone."""
        if self._alone:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCKS, ALONE))
            if not cursor.fetchone()[0]:
                raise AnotherDaemonError(
                    "another daemon serves this installation: with Redis as the broker there can be one only, since "
                    "the end of one of two can lose messages there. Stop the other one, or use RabbitMQ as BROKER_URL"
                )
        cursor.execute("SELECT nextval('daemon_locks')::integer")
        [self._lock_number] = cursor.fetchone()
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", (LOCKS, self._lock_number))
