"""A database that is not where it was: people are told, nobody is kept from serving it, and one command ends it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from db.daemons import home, versions
from db.daemons.lease import LeaseSession
from db.migrate import migrate
from db.pool import Pool
from relay.cli import doctor, operator
from tests.services.databases import SHARDS


@pytest.fixture
def store(pool: Pool) -> Pool:
    """At home where it is."""
    with pool.transaction() as cursor:
        home.settle(cursor)
    return pool


Move = Callable[..., None]


@pytest.fixture
def move(store: Pool) -> Move:
    """As it looks when the server, or the database in it, is another one."""

    def moved(*names: str) -> None:
        with store.transaction() as cursor:
            cursor.execute("UPDATE relay_settings SET value = '1' WHERE name = ANY(%s)", (list(names),))
            assert cursor.rowcount == len(names)

    return moved


def has_moved(pool: Pool) -> bool:
    with pool.transaction() as cursor:
        return home.has_moved(cursor)


@pytest.mark.parametrize("names", [(home.SYSTEM,), (home.DATABASE,), (home.SYSTEM, home.DATABASE)])
def test_another_server_and_another_database_of_it_are_both_seen(store: Pool, move: Move, names: list[str]) -> None:
    assert not has_moved(store)
    move(*names)
    assert has_moved(store)


def test_where_the_server_may_not_be_asked_it_has_not_moved(store: Pool) -> None:
    """Or the database of a provider that forbids it would look moved from the first day."""
    with store.transaction() as cursor:
        cursor.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        cursor.execute("CREATE ROLE asks_nobody; GRANT SELECT ON relay_settings TO asks_nobody; SET ROLE asks_nobody")
        assert not home.has_moved(cursor)
        cursor.execute("RESET ROLE; GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
        cursor.execute("DROP OWNED BY asks_nobody; DROP ROLE asks_nobody")


def test_it_is_served_all_the_same_and_said_at_each_start(store: Pool, move: Move) -> None:
    move(home.SYSTEM)
    with capture_logs() as logs:
        versions.check(store)
    assert [(one["event"], one["log_level"]) for one in logs] == [("database_has_moved", "warning")]
    session = LeaseSession(store, str(uuid4()), "d", alone=False)
    session.renew(1.0, 5.0)
    session.close()


def test_the_doctor_warns_until_somebody_says_that_nothing_was_lost(postgres: str, store: Pool, move: Move) -> None:
    settings: Any = SimpleNamespace(database_url=postgres, relay_shards=SHARDS)
    move(home.DATABASE)
    found = doctor._database(settings)
    assert (found.level, found.text, found.advice) == ("warning", home.MOVED, home.ADVICE)
    assert operator.acknowledge_move(settings)
    assert doctor._database(settings).level == "ok"
    assert not operator.acknowledge_move(settings), "once is all"
    with store.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM audit_log WHERE action = 'installation.moved'")
        assert cursor.fetchone()[0] == 1


def test_migrating_a_database_that_has_moved_settles_nothing(postgres: str, store: Pool, move: Move) -> None:
    move(home.SYSTEM)
    migrate(postgres, SHARDS)
    assert has_moved(store)
