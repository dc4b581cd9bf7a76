"""Which versions serve this database, and whether this one may: the sentences that keep out whoever may not."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import structlog

from db.cursor import Cursor
from db.daemons import home
from db.pool import Pool
from relay.core.releases import UNTOLD, VERSION, Program, order, side_by_side

log = structlog.get_logger(__name__)

MIGRATIONS = Path(__file__).parents[1] / "migrations"
OLDEST = "oldest_version"
"""In relay_settings: what is older cannot work with this database any more, since something was taken away."""
WEB_SECONDS = 15.0
"""A worker of web that was not heard of for so long is gone."""
OLD_ENOUGH = f"""NOT EXISTS (SELECT 1 FROM relay_settings WHERE name = '{OLDEST}'
                   AND string_to_array(value, '.')::int[] > string_to_array(%(version)s, '.')::int[])"""


class WrongVersionError(RuntimeError):
    """This version cannot serve this database, or not beside those that do; the text says which can."""


def check(pool: Pool) -> None:
    """At the start of web and daemon. Raises WrongVersionError and DatabaseError."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT migration_id FROM _yoyo_migration")
        applied = {row[0] for row in cursor.fetchall()}
        missing = sorted({path.stem for path in MIGRATIONS.glob("*.sql")} - applied)
        if missing:
            raise WrongVersionError(
                f"this database's schema is older than version {VERSION} needs ({', '.join(missing)} not applied): "
                "run `relay migrate` first"
            )
        check_own(cursor)
        if home.has_moved(cursor):
            log.warning("database_has_moved", text=home.MOVED, advice=home.ADVICE)
        others = [one for one in living(cursor) if not side_by_side(Program("", ""), one)]
    if others:
        raise WrongVersionError(
            f"version {VERSION} cannot work beside {_named(others)}: more than one release lies between them. Upgrade "
            "one release after the other, or stop those first"
        )


def check_own(cursor: Cursor) -> None:
    """Raises WrongVersionError where a later version has taken away what this one needs."""
    oldest = oldest_version(cursor)
    if oldest is not None and order(oldest) > order(VERSION):
        raise WrongVersionError(_too_old(oldest))


def oldest_version(cursor: Cursor) -> str | None:
    cursor.execute("SELECT value FROM relay_settings WHERE name = %s", (OLDEST,))
    row = cursor.fetchone()
    return row[0] if row else None


def keep_out(pool: Pool, version: str) -> None:
    """What is older than `version` may not begin any more, nor go on; it is about to lose something that it needs.

    Raises WrongVersionError, and leaves things as they were, while such a process is at work.
    """

    def older(cursor: Cursor) -> list[Program]:
        return [one for one in living(cursor) if order(one.version) < order(version)]

    with pool.transaction() as cursor:
        before = oldest_version(cursor)
        at_work = older(cursor)
        if not at_work and (before is None or order(before) < order(version)):
            _note(cursor, version)
    if not at_work:
        with pool.transaction() as cursor:  # whoever began before that was committed
            at_work = older(cursor)
            if at_work and before != version:
                _note(cursor, before)
    if at_work:
        raise WrongVersionError(
            f"version {VERSION} takes away what is older than {version} needs, and {_named(at_work)} is at work: "
            "stop that first, or upgrade one release after the other"
        )


def living(cursor: Cursor) -> list[Program]:
    """The daemons with a lease, and the workers of web that were heard of lately."""
    cursor.execute(
        """SELECT 'daemon', name, coalesce(version, %s), coalesce(previous, '') FROM daemons WHERE lease_until > now()
           UNION ALL SELECT 'web', name, version, previous FROM webs WHERE seen_at > now() - make_interval(secs => %s)
           ORDER BY 1, 2 LIMIT 1000""",
        (UNTOLD, WEB_SECONDS),
    )
    return [Program(*row) for row in cursor.fetchall()]


def web_is_at_work(pool: Pool, web_id: str, name: str) -> None:
    """Once in a while, by each worker. Raises WrongVersionError when it may not go on."""
    program = Program("web", name)
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM webs WHERE seen_at < now() - interval '1 day'")
        cursor.execute(
            f"""INSERT INTO webs (id, name, version, previous)
                SELECT %(id)s, %(name)s, %(version)s, %(previous)s WHERE {OLD_ENOUGH}
                ON CONFLICT (id) DO UPDATE SET seen_at = now() RETURNING id""",
            {"id": UUID(web_id), "name": name, "version": program.version, "previous": program.previous},
        )
        if cursor.fetchone() is None:
            check_own(cursor)


def _note(cursor: Cursor, version: str | None) -> None:
    cursor.execute("DELETE FROM relay_settings WHERE name = %s", (OLDEST,))
    if version is not None:
        cursor.execute("INSERT INTO relay_settings VALUES (%s, %s)", (OLDEST, version))


def _too_old(oldest: str) -> str:
    return (
        f"version {VERSION} is too old for this database: a later one has taken away what only versions before "
        f"{oldest} used. Start version {oldest} or a newer one"
    )


def _named(programs: list[Program]) -> str:
    named = ", ".join(map(str, programs[:5]))
    return f"{named} and {len(programs) - 5} more" if len(programs) > 5 else named
