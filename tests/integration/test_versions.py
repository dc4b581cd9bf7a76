"""A process that cannot work with a database, or not beside those that do, is told so, and does nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import gevent
import pytest

from db import migrate
from db.daemons import shards, versions
from db.daemons.lease import LeaseSession
from db.daemons.versions import WrongVersionError
from db.pool import Pool
from relay.core.releases import PREVIOUS, VERSION
from tests.services.databases import SHARDS, Databases
from web.request.attendance import Attendance

NEXT = "9.9.9"
AddMigration = Callable[[str, str], None]


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    made = databases.create()
    yield made
    databases.drop(made)


@pytest.fixture
def store(url: str) -> Iterator[Pool]:
    with Pool(url, size=4) as pool:
        yield pool


@pytest.fixture
def add_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddMigration:
    """One more migration of this program: its half, and what it does."""
    last = max(path.stem for path in migrate.MIGRATIONS.glob("*.sql"))
    shutil.copytree(migrate.MIGRATIONS, tmp_path / "migrations")
    monkeypatch.setattr(migrate, "MIGRATIONS", tmp_path / "migrations")

    def add(half: str, sql: str) -> None:
        text = f"-- depends: {last}\n-- half: {half}\n\n{sql};\n"
        (tmp_path / "migrations" / "9999.one_more.sql").write_text(text)

    return add


def say(pool: Pool, statement: str, *values: object) -> None:
    with pool.transaction() as cursor:
        cursor.execute(statement, values)


def a_daemon(pool: Pool, version: str | None, previous: str | None = None) -> None:
    say(
        pool,
        """INSERT INTO daemons (id, name, lease_until, version, previous)
           VALUES (%s, 'd', now() + interval '1 hour', %s, %s)""",
        uuid4(), version, previous,
    )  # fmt: skip


def later_took_something_away(pool: Pool) -> None:
    say(pool, "INSERT INTO relay_settings VALUES (%s, %s)", versions.OLDEST, NEXT)


def test_a_schema_that_is_too_old_is_named(store: Pool) -> None:
    versions.check(store)
    say(store, "DELETE FROM _yoyo_migration WHERE migration_id = '0027.versions'")
    with pytest.raises(WrongVersionError, match=r"0027\.versions not applied.*relay migrate"):
        versions.check(store)


def test_what_a_later_version_has_added_is_no_hindrance(store: Pool) -> None:
    say(store, "INSERT INTO _yoyo_migration VALUES ('hash', '9999.more', now())")
    versions.check(store)


def test_who_misses_what_was_taken_away_neither_starts_nor_goes_on(store: Pool) -> None:
    daemon = LeaseSession(store, str(uuid4()), "old", alone=False)
    refused: list[str] = []
    web = Attendance(store, refused.append)
    daemon.renew(15.0, 5.0)
    assert web.tell()
    later_took_something_away(store)
    with pytest.raises(WrongVersionError, match=f"too old.*Start version {NEXT}"):
        versions.check(store)
    with pytest.raises(WrongVersionError, match="too old"):
        daemon.renew(15.0, 5.0)
    assert not web.tell()
    assert len(refused) == 1
    assert "too old" in refused[0]


def test_nobody_starts_beside_a_release_further_away_and_everybody_beside_the_next(store: Pool) -> None:
    a_daemon(store, None)
    a_daemon(store, PREVIOUS, "0.1.0")
    versions.check(store)
    a_daemon(store, NEXT, "9.8.0")
    with pytest.raises(WrongVersionError, match=f"daemon d of version {NEXT}: more than one release"):
        versions.check(store)
    say(store, "UPDATE daemons SET lease_until = now() WHERE version = %s", NEXT)
    versions.check(store)


def test_nothing_is_taken_away_from_who_is_at_work(url: str, store: Pool, add_migration: AddMigration) -> None:
    add_migration(f"contract, for {VERSION} and newer", "ALTER TABLE daemons DROP COLUMN previous")
    a_daemon(store, None)
    with pytest.raises(WrongVersionError, match=f"daemon d of version {PREVIOUS} is at work: stop that first"):
        migrate.migrate(url, SHARDS)
    with store.transaction() as cursor:
        assert versions.oldest_version(cursor) is None
        cursor.execute("SELECT previous FROM daemons")
        cursor.execute("DELETE FROM daemons")
    versions.web_is_at_work(store, str(uuid4()), "of this version")
    assert migrate.migrate(url, SHARDS) == ["9999.one_more"]
    with store.transaction() as cursor:
        assert versions.oldest_version(cursor) == VERSION


def test_a_new_database_keeps_out_who_is_too_old_for_it(databases: Databases, add_migration: AddMigration) -> None:
    add_migration(f"contract, for {VERSION} and newer", "SELECT 1")
    empty = databases.create_empty()
    migrate.migrate(empty, SHARDS)
    with Pool(empty, size=1) as pool, pool.transaction() as cursor:
        assert versions.oldest_version(cursor) == VERSION
    databases.drop(empty)


def test_a_table_that_is_read_for_long_is_waited_for_without_holding_up_others(
    url: str, store: Pool, add_migration: AddMigration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL lets nobody by who comes after a change that waits: it must give up, and try again."""
    add_migration("expand", "ALTER TABLE shards ADD COLUMN more text")
    monkeypatch.setattr(migrate, "LOCK_OPTION", "options=-c%20lock_timeout%3D200ms")
    tries: list[int] = []

    def soon(attempt: int) -> float:
        tries.append(attempt)
        return 0.05

    monkeypatch.setattr(migrate, "store_backoff", soon)
    with store.transaction() as cursor:
        cursor.execute("SELECT n FROM shards")
        migrating = gevent.spawn(migrate.migrate, url, SHARDS)
        while len(tries) < 2:
            gevent.sleep(0.05)
            with Pool(url, size=1) as other, other.transaction() as second:
                shards.overview(second)
    assert migrating.get(timeout=30) == ["9999.one_more"]
