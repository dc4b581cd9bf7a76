"""Bring a database to the newest schema, and fix the number of shards for good."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable, RaiseException

from db import halves
from db.daemons import home, versions
from db.errors import SchemaError, away
from db.pool import Pool
from relay.core.releases import order
from relay.core.retry import store_backoff

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_SECONDS = 2
"""So long a migration waits for a table: everybody who comes after it waits as well."""
LOCK_TRIES = 20
WAIT_SECONDS = 10
"""So long one who migrates waits for another one."""
LOCK_OPTION = f"options=-c%20lock_timeout%3D{LOCK_SECONDS}s"


class ShardCountError(RuntimeError):
    """RELAY_SHARDS differs from the number this database was made with."""


class MigrationUnderWayError(RuntimeError):
    """Another process is at it; the text says what to do."""


class NotAllowedError(RuntimeError):
    """The user of DATABASE_URL may not do what the schema needs; the text says what an administrator does."""


def migrate(database_url: str, shards: int) -> list[str]:
    """Apply what is missing and return the names applied. Safe to run side by side (it locks), and under traffic.

    Raises DatabaseError, MigrationUnderWayError, NotAllowedError, ShardCountError when the database already holds
    another number of shards, and WrongVersionError where a process is at work that needs what is to be taken away; what
    comes before that is applied.
    """
    names = []
    with _backend(database_url) as backend, _alone(backend), Pool(database_url, size=1) as pool:
        fresh, oldest = not backend.get_applied_migration_hashes(), ""
        for migration in backend.to_apply(_all()):
            needed = halves.oldest_version(Path(migration.path).read_text())
            if needed is not None:
                oldest = max(oldest or needed, needed, key=order)
                if not fresh:  # else nobody can be at work, and there is nothing yet to note it in
                    versions.keep_out(pool, needed)
            _apply(backend, migration)
            names.append(migration.id)
        _record_shards(pool, shards)
        if fresh and oldest:
            versions.keep_out(pool, oldest)
    return names


def _apply(backend: Any, migration: Any) -> None:
    """A table that somebody reads for long is asked for again and again, so that nobody has to wait behind us."""
    for attempt in count(1):
        try:
            backend.apply_one(migration)
            return
        except (LockNotAvailable, DeadlockDetected) as error:
            if attempt == LOCK_TRIES:
                raise away(error) from error
            time.sleep(store_backoff(attempt))
        except RaiseException as error:  # only what is meant for people is raised
            raise NotAllowedError(error.diag.message_primary) from error
        except InsufficientPrivilege as error:
            raise NotAllowedError(
                f"PostgreSQL does not let this user change its schema ({error.diag.message_primary}): the user of "
                "DATABASE_URL has to own the database, and be a member of the role relay_tenant where that exists"
            ) from error


def pending(database_url: str) -> list[str]:
    """The migrations that this version of the program has and the database has not."""
    with _backend(database_url) as backend:
        return [migration.id for migration in backend.to_apply(_all())]


def _all() -> Any:
    from yoyo import read_migrations  # not where web only compares the number of shards: it takes long to import

    return read_migrations(str(MIGRATIONS))


@contextmanager
def _backend(database_url: str) -> Iterator[Any]:
    """Connected, and closed at the end. Raises DatabaseError."""
    from yoyo import get_backend

    url = database_url.replace("postgres://", "postgresql://", 1)
    try:
        backend = get_backend(f"{url}{'&' if '?' in url else '?'}{LOCK_OPTION}")
    except psycopg2.OperationalError as error:
        raise away(error) from error
    try:
        yield backend
    finally:
        backend.connection.close()


@contextmanager
def _alone(backend: Any) -> Iterator[None]:
    """While nobody else migrates. Whoever was killed at it leaves a row behind that looks the same."""
    from yoyo.exceptions import LockTimeout

    with ExitStack() as held:
        try:
            held.enter_context(backend.lock(WAIT_SECONDS))
        except LockTimeout:
            raise MigrationUnderWayError(
                "another `relay migrate` is at work on this database: wait until it has ended, then start this one "
                "again. Where none is at work any more, one was killed: then run `DELETE FROM yoyo_lock` in the "
                "database, and start this one again"
            ) from None
        yield


def _record_shards(pool: Pool, shards: int) -> None:
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO relay_settings VALUES ('shards', %s) ON CONFLICT DO NOTHING", (str(shards),))
        home.settle_first(cursor)
    check_shards(pool, shards)
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO shards (n) SELECT generate_series(0, %s) ON CONFLICT DO NOTHING", (shards - 1,))


def check_shards(pool: Pool, shards: int) -> None:
    """Refuse to run with another RELAY_SHARDS than the database's: conversations would get lost."""
    try:
        with pool.transaction() as cursor:
            cursor.execute("SELECT value FROM relay_settings WHERE name = 'shards'")
            row = cursor.fetchone()
    except SchemaError:
        row = None
    if row is None:
        raise ShardCountError("this database has no schema yet: run `relay migrate` first")
    if int(row[0]) != shards:
        raise ShardCountError(
            f"RELAY_SHARDS is {shards}, but this database was made for {row[0]}. Set RELAY_SHARDS={row[0]}, "
            f"or stop web and the daemons and run `relay reshard {shards}`."
        )
