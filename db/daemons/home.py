"""Where a database was when it was last known to be the original: in which server, as which database of it.

A dump that was put back has moved, and so has a database after pg_upgrade or with a new provider: nothing in it tells
one from the other, so people are told, and nobody is kept from serving it. A copy of the server's files looks as the
original does.
"""

from __future__ import annotations

import psycopg2

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool

SYSTEM = "home_system"
DATABASE = "home_database"
"""In relay_settings. Each is compared for itself: where the server may not be asked, the other one still counts."""
BY = Author("command line")
MOVED = "this database was restored from a backup, or moved: it is not where it was when that was last written down"
ADVICE = (
    "After a restore stop everything and run `relay restored`, or messages may be sent twice. After a move, or an "
    "upgrade of PostgreSQL, `relay moved`."
)


def has_moved(cursor: Cursor) -> bool:
    cursor.execute("SELECT name, value FROM relay_settings WHERE name = ANY(%s)", ([SYSTEM, DATABASE],))
    before, here = dict(cursor.fetchall()), _whereabouts(cursor)
    return any(before[name] != value for name, value in here.items() if name in before)


def settle(cursor: Cursor) -> None:
    """It is at home here from now on."""
    forget(cursor)
    settle_first(cursor)


def forget(cursor: Cursor) -> None:
    """Nobody knows where it was: it has not moved."""
    cursor.execute("DELETE FROM relay_settings WHERE name = ANY(%s)", ([SYSTEM, DATABASE],))


def settle_first(cursor: Cursor) -> None:
    """The same where nothing was written down yet."""
    for name, value in _whereabouts(cursor).items():
        cursor.execute("INSERT INTO relay_settings VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, value))


def acknowledge(pool: Pool) -> bool:
    """Somebody says that it was moved and that nothing was lost. Returns whether it had moved."""
    with pool.transaction() as cursor:
        moved = has_moved(cursor)
        settle(cursor)
        if moved:
            audit.record(cursor, BY, "installation.moved")
    return moved


def _whereabouts(cursor: Cursor) -> dict[str, str]:
    """Without the server where it does not tell: no service of PostgreSQL is refused for that."""
    cursor.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()")
    here = {DATABASE: str(cursor.fetchone()[0])}
    cursor.execute("SAVEPOINT asked")
    try:
        cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
        here[SYSTEM] = str(cursor.fetchone()[0])
    except psycopg2.Error:
        cursor.execute("ROLLBACK TO SAVEPOINT asked")  # raises where the connection is gone
    return here
