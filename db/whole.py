"""Several changes as one: all of them or none, and none of them over somebody else's that came between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2.errors

from db.cursor import Cursor
from db.pool import Pool

SECONDS = 60.0
WAIT_SECONDS = 5


class ChangedMeanwhileError(RuntimeError):
    """Somebody else has changed what was to be changed. Nothing was done; the text is for people."""

    def __init__(self) -> None:
        super().__init__("somebody else is changing this tenant at this moment; nothing was done. Look at it again.")


class _OneTransaction(Pool):
    """Lends the cursor of the one transaction to whoever asks for one of their own."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    @contextmanager
    def transaction(self, seconds: float | None = None) -> Iterator[Cursor]:
        yield self._cursor

    @contextmanager
    def autocommit(self, seconds: float | None = None) -> Iterator[Cursor]:
        yield self._cursor


@contextmanager
def whole(pool: Pool) -> Iterator[Pool]:
    """A pool whose transactions are all one, which sees the database as it was at its beginning.

    One at a time. Raises ChangedMeanwhileError when a row that it changes was changed since then.
    """
    with pool.transaction(SECONDS) as cursor:
        try:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
            # Takes no snapshot: what the one before has committed is seen.
            cursor.execute("LOCK TABLE tenants IN SHARE ROW EXCLUSIVE MODE")
            yield _OneTransaction(cursor)
        except (psycopg2.errors.SerializationFailure, psycopg2.errors.LockNotAvailable):
            raise ChangedMeanwhileError from None
