"""login_guesses: wrong passwords and codes, counted where they come from, so that strangers lock themselves out alone.

Each device on which an account has been logged in has a count of its own for it, and so has each network of other
devices. All unknown devices together have a second, larger count (users.failures): it bounds guesses from many
networks, and never touches a known device. Every count ends a day after its last guess.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import audit
from db.access.users import User
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool

FREE_FAILURES = 5
STRANGERS_FREE_FAILURES = 50
LOCK_SECONDS = 30
LONGEST_LOCK_SECONDS = 3600
STRANGERS_LONGEST_LOCK_SECONDS = 300
"""Short, since it keeps the rightful person from a new device; long enough for no password to be found."""
KEPT = "interval '1 day'"
SWEPT = 100


@dataclass(frozen=True, slots=True)
class Source:
    """Where a guess comes from. `known`: a device on which this account has been logged in before."""

    name: str
    known: bool

    @property
    def digest(self) -> bytes:
        # The table is no place for people's addresses.
        return hashlib.sha256(self.name.encode("utf-8", "replace")).digest()[:16]


@dataclass(frozen=True, slots=True)
class Guess:
    """One that is counted as wrong until it is known to be right. The counts include it."""

    source: Source
    failures: int
    of_strangers: int


@dataclass(frozen=True, slots=True)
class Lock:
    """Nothing is looked at from one known device, or one network, before."""

    known: bool
    until: datetime


def begin(pool: Pool, user_id: str, source: Source) -> Guess | None:
    """Counts a guess before it is looked at: however many come at once, they queue up at these rows.

    None while the source, or every unknown device, is locked; then it is not counted either. From the fifth on each
    locks for longer, an hour at most; from the fiftieth of strangers on all of them, five minutes at most.
    """
    values = {"user": UUID(user_id), "source": source.digest, "known": source.known}
    first, further = (_lock(count, FREE_FAILURES, LONGEST_LOCK_SECONDS) for count in ("1", "g.failures + 1"))
    of_strangers = _lock("failures + 1", STRANGERS_FREE_FAILURES, STRANGERS_LONGEST_LOCK_SECONDS)
    with pool.autocommit() as cursor:
        _sweep(cursor)
    with pool.transaction() as cursor:
        cursor.execute(
            f"""INSERT INTO login_guesses AS g (user_id, source, known, failures, locked_until)
                VALUES (%(user)s, %(source)s, %(known)s, 1, {first})
                ON CONFLICT (user_id, source) DO UPDATE
                SET failures = g.failures + 1, last_at = now(), locked_until = {further}
                WHERE g.locked_until IS NULL OR g.locked_until <= now() RETURNING failures""",
            values,
        )
        own = cursor.fetchone()
        cursor.execute(
            f"""UPDATE users SET failures = failures + 1, failed_at = now(),
                  locked_until = CASE WHEN %(known)s THEN locked_until
                    ELSE {of_strangers} END
                WHERE id = %(user)s AND (%(known)s OR locked_until IS NULL OR locked_until <= now())
                RETURNING failures""",
            values,
        )
        all_of_them = cursor.fetchone()
        if own is None or all_of_them is None:
            cursor.connection.rollback()
            return None
    return Guess(source, int(own[0]), int(all_of_them[0]))


def right(pool: Pool, user: User, guess: Guess) -> None:
    """It was right after all, and is counted no longer. The wrong ones before it stay until `forget`."""
    values = {"user": UUID(user.id), "source": guess.source.digest}
    with pool.transaction() as cursor:
        own = "user_id = %(user)s AND source = %(source)s"
        cursor.execute(f"{_less('login_guesses', FREE_FAILURES)} WHERE {own}", values)
        cursor.execute(f"{_less('users', STRANGERS_FREE_FAILURES)} WHERE id = %(user)s", values)


def wrong(pool: Pool, user: User, guess: Guess) -> None:
    """The audit log is told when that has locked somebody out."""
    whom = "a known device" if guess.source.known else "one network"
    if not guess.source.known and guess.of_strangers >= STRANGERS_FREE_FAILURES:
        whom = "all unknown devices"
    elif guess.failures < FREE_FAILURES:
        return
    with pool.transaction() as cursor:
        detail = {"locked_out": whom}
        audit.record(cursor, Author("relay"), "user.locked", tenant_id=user.tenant_id, subject=user.id, detail=detail)


def forget(pool: Pool, user_id: str, source: Source) -> None:
    """All factors were right: what was wrong from there before is forgotten, and what strangers guess is not."""
    values = {"user": UUID(user_id), "source": source.digest}
    with pool.transaction() as cursor:
        cursor.execute(
            "DELETE FROM login_guesses WHERE user_id = %(user)s AND source = %(source)s RETURNING failures", values
        )
        row = cursor.fetchone()
        if row is not None:
            cursor.execute(
                "UPDATE users SET failures = greatest(failures - %(own)s, 0) WHERE id = %(user)s",
                values | {"own": row[0]},
            )


def unlock(pool: Pool, by: Author, user: User) -> None:
    """Forget what was wrong from every source, so that the right password is looked at again."""
    with pool.transaction() as cursor:
        _forget_all(cursor, user.id)
        audit.record(cursor, by, "user.unlocked", tenant_id=user.tenant_id, subject=user.id)


def _forget_all(cursor: Cursor, user_id: str) -> None:
    cursor.execute("DELETE FROM login_guesses WHERE user_id = %s", (UUID(user_id),))
    cursor.execute("UPDATE users SET failures = 0, locked_until = NULL WHERE id = %s", (UUID(user_id),))


def locks(pool: Pool, user_id: str) -> list[Lock]:
    """Devices and networks that are locked out now; the longest first, ten at most."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT known, locked_until FROM login_guesses WHERE user_id = %s AND locked_until > now()
               ORDER BY locked_until DESC LIMIT 10""",
            (UUID(user_id),),
        )
        return [Lock(*row) for row in cursor.fetchall()]


def _lock(count: str, free: int, longest: int) -> str:
    """Until when, as SQL: from the guess number `free` on."""
    seconds = f"least({longest}, {LOCK_SECONDS} * 2 ^ least({count} - {free}, 10))"
    return f"CASE WHEN {count} >= {free} THEN now() + {seconds} * interval '1 second' END"


def _less(table: str, free: int) -> str:
    return f"""UPDATE {table} SET failures = greatest(failures - 1, 0),
                 locked_until = CASE WHEN failures - 1 >= {free} THEN locked_until END"""


def _sweep(cursor: Cursor) -> None:
    """A part of what is over; rows that somebody else holds are his to sweep."""
    for what, table, over in (
        ("DELETE FROM login_guesses", "login_guesses", "last_at"),
        ("UPDATE users SET failures = 0, locked_until = NULL", "users", "failures > 0 AND failed_at"),
    ):
        cursor.execute(
            f"""{what} WHERE ctid = ANY(ARRAY(
                  SELECT ctid FROM {table} WHERE {over} < now() - {KEPT} LIMIT {SWEPT} FOR UPDATE SKIP LOCKED))"""
        )
