"""Bring a database to the newest schema, and fix the number of shards for good."""

from __future__ import annotations

from pathlib import Path

from yoyo import get_backend, read_migrations

from db.pool import Pool

MIGRATIONS = Path(__file__).parent / "migrations"


class ShardCountError(RuntimeError):
    """RELAY_SHARDS differs from the number this database was made with."""


def migrate(database_url: str, shards: int) -> list[str]:
    """Apply what is missing and return the names applied. Safe to run side by side (it locks).

    Raises ShardCountError when the database already holds another number of shards.
    """
    backend = get_backend(database_url.replace("postgres://", "postgresql://", 1))
    try:
        with backend.lock():
            pending = backend.to_apply(read_migrations(str(MIGRATIONS)))
            backend.apply_migrations(pending)
            names = [migration.id for migration in pending]
    finally:
        backend.connection.close()
    with Pool(database_url, size=1) as pool:
        _record_shards(pool, shards)
    return names


def _record_shards(pool: Pool, shards: int) -> None:
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO relay_settings VALUES ('shards', %s) ON CONFLICT DO NOTHING", (str(shards),))
        cursor.execute("INSERT INTO shards (n) SELECT generate_series(0, %s) ON CONFLICT DO NOTHING", (shards - 1,))
    check_shards(pool, shards)


def check_shards(pool: Pool, shards: int) -> None:
    """Refuse to run with another RELAY_SHARDS than the database's: conversations would get lost."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT value FROM relay_settings WHERE name = 'shards'")
        row = cursor.fetchone()
    if row is None or int(row[0]) != shards:
        found = "none" if row is None else row[0]
        raise ShardCountError(
            f"RELAY_SHARDS is {shards}, but this database was made for {found}. "
            f"Set RELAY_SHARDS={found}, or run `relay migrate` on an empty database."
        )
