"""Whose fault each class of PostgreSQL's errors is: provoked at the real server wherever that can be done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import gevent
import psycopg2.errors
import pytest
import structlog
from gevent.server import StreamServer
from structlog.testing import capture_logs

from db.errors import DatabaseError, SchemaError
from db.pool import Pool
from demo.stack import Postgres
from relay.runtime.actor import Ping, RelayActor
from tests.log_lines import as_web_logs
from tests.services.databases import Databases
from tests.services.postgres_trouble import administer, cutting_commits, read_only
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    url = databases.create_empty()
    administer(url, "CREATE TABLE things (n integer PRIMARY KEY, told text)", "CREATE INDEX ON things (told)")
    yield url
    databases.drop(url)


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    administer(url, "TRUNCATE things")
    with Pool(url, size=4, statement_seconds=5.0) as pool:
        yield pool


@contextmanager
def trouble(kind: str, sqlstate: str = "") -> Iterator[None]:
    """What is within fails, and the data is not at fault."""
    with pytest.raises(DatabaseError) as failed:
        yield
    assert (failed.value.kind, failed.value.sqlstate) == (kind, sqlstate), failed.value


def run(pool: Pool, *statements: str) -> Any:
    with pool.transaction() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


# What the data is at fault for

DATA = {
    "a value": ("SELECT 1 / 0", psycopg2.errors.DivisionByZero),
    "a text": ("""SELECT '{"a": "\\u0000"}'::jsonb->>'a'""", psycopg2.errors.UntranslatableCharacter),
    "a constraint": ("INSERT INTO things VALUES (1), (1)", psycopg2.errors.UniqueViolation),
    "too large for an index": (
        "INSERT INTO things SELECT 1, string_agg(md5(n::text), '') FROM generate_series(1, 1000) n",
        psycopg2.errors.ProgramLimitExceeded,
    ),
    "too deep": ("SELECT repeat('[', 1000000)::jsonb", psycopg2.errors.StatementTooComplex),
}


@pytest.mark.parametrize("what", DATA)
def test_what_no_server_would_take_reaches_whoever_wrote_it(pool: Pool, what: str) -> None:
    statement, error = DATA[what]
    before = run(pool, "SELECT pg_backend_pid()")
    with pytest.raises(error):
        run(pool, statement)
    assert run(pool, "SELECT pg_backend_pid()") == before, "the connection is as good as before"


# What it is not

RAISED = {
    "57P03": "unreachable",  # cannot connect now
    "57P02": "unreachable",  # crash shutdown
    "53000": "exhausted",
    "53100": "full",
    "53200": "exhausted",  # out of memory
    "53300": "exhausted",  # too many connections
    "53400": "exhausted",
    "55006": "busy",
    "58030": "internal",  # I/O
    "58P01": "internal",
    "XX000": "internal",
    "XX001": "internal",
    "XX002": "internal",
    "28000": "refused",
    "25P02": "other",
    "21000": "other",
    "P0001": "other",
    "F0000": "other",
    "72000": "other",
}


@pytest.mark.parametrize("sqlstate", RAISED)
def test_everything_else_is_the_stores_trouble(pool: Pool, sqlstate: str) -> None:
    """These the server raises only when it is told to; by the same way as if it were true."""
    with trouble(RAISED[sqlstate], sqlstate):
        run(pool, f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{sqlstate}'; END $$")
    assert run(pool, "SELECT 1") == (1,)


def test_a_server_that_refuses_writes(pool: Pool, url: str, postgres_server: Postgres) -> None:
    with read_only(postgres_server.url()):
        with trouble("read_only", "25006"):
            run(pool, "INSERT INTO things VALUES (1, 'x')")
        assert run(pool, "SELECT count(*) FROM things") == (0,), "reads go on"
    assert run(pool, "INSERT INTO things VALUES (1, 'x') RETURNING n") == (1,)


def test_connections_from_before_a_server_refused_writes_are_not_used_again(
    pool: Pool, postgres_server: Postgres
) -> None:
    """Behind the same name there may be another server by now."""
    with pool.transaction() as one, pool.transaction() as other:
        for cursor in (one, other):
            cursor.execute("SELECT pg_backend_pid()")
        before = {one.fetchone(), other.fetchone()}
    with read_only(postgres_server.url()), trouble("read_only", "25006"):
        run(pool, "INSERT INTO things VALUES (1, 'x')")
    with pool.transaction() as one, pool.transaction() as other:
        for cursor in (one, other):
            cursor.execute("SELECT pg_backend_pid()")
        assert not before & {one.fetchone(), other.fetchone()}


def test_an_administrator_who_ends_the_session(pool: Pool, url: str) -> None:
    ended = pytest.raises(DatabaseError, match="terminating connection due to administrator command")
    with ended, pool.transaction() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
        gevent.spawn(administer, url, f"SELECT pg_terminate_backend({pid})")
        cursor.execute("SELECT pg_sleep(4)")
    assert run(pool, "SELECT 1") == (1,)


def test_no_more_connections_for_this_user(url: str, databases: Databases) -> None:
    administer(url, "DROP ROLE IF EXISTS only_one", "CREATE ROLE only_one LOGIN PASSWORD 'one' CONNECTION LIMIT 1")
    parts = urlsplit(url)
    own = parts._replace(netloc=f"only_one:one@{parts.hostname}:{parts.port}").geturl()
    with Pool(own) as first, Pool(own) as second:
        with first.transaction() as cursor:
            cursor.execute("SELECT 1")
            with pytest.raises(DatabaseError, match="too many connections"):
                run(second, "SELECT 1")
        first.close()
        wait_until(lambda: _works(second), message="the place to be free")
    administer(url, "DROP ROLE only_one")


def _works(pool: Pool) -> bool:
    try:
        return bool(run(pool, "SELECT 1"))
    except DatabaseError:
        return False


def test_two_that_wait_for_each_other(pool: Pool) -> None:
    run(pool, "INSERT INTO things VALUES (1), (2)")
    failed: list[DatabaseError] = []
    both = gevent.event.Event()
    began: list[int] = []

    def change(first: int, second: int) -> None:
        try:
            with pool.transaction() as cursor:
                cursor.execute("UPDATE things SET told = 'x' WHERE n = %s", (first,))
                began.append(first)
                if len(began) == 2:
                    both.set()
                assert both.wait(PATIENCE)
                cursor.execute("UPDATE things SET told = 'x' WHERE n = %s", (second,))
        except DatabaseError as error:
            failed.append(error)

    gevent.joinall([gevent.spawn(change, 1, 2), gevent.spawn(change, 2, 1)], raise_error=True, timeout=PATIENCE)
    assert [(one.kind, one.sqlstate) for one in failed] == [("busy", "40P01")]


def test_one_that_comes_too_late_to_be_in_series(pool: Pool) -> None:
    run(pool, "INSERT INTO things VALUES (1)")
    with trouble("busy", "40001"), pool.transaction() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT told FROM things")
        run(pool, "UPDATE things SET told = 'first'")
        cursor.execute("UPDATE things SET told = 'second'")


def test_a_lock_that_is_not_had_in_time(pool: Pool) -> None:
    run(pool, "INSERT INTO things VALUES (1)")
    with pool.transaction() as holder:
        holder.execute("UPDATE things SET told = 'x'")
        with trouble("busy", "55P03"):
            run(pool, "SET LOCAL lock_timeout = '20ms'", "UPDATE things SET told = 'y'")


def test_a_statement_that_takes_too_long(url: str) -> None:
    with Pool(url, statement_seconds=0.1) as pool, trouble("timeout", "57014"):
        run(pool, "SELECT pg_sleep(4)")


def test_a_transaction_that_stands_still(url: str) -> None:
    def stand_still(pool: Pool, cursor: Any) -> None:
        cursor.execute("SELECT pg_backend_pid()")
        gone = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {cursor.fetchone()[0]}"
        wait_until(lambda: run(pool, gone) == (0,), message="the server to end it")
        cursor.execute("SELECT 1")

    with Pool(url, idle_in_transaction_seconds=0.1) as pool:
        with pytest.raises(DatabaseError, match="idle-in-transaction"), pool.transaction() as cursor:
            stand_still(pool, cursor)
        assert run(pool, "SELECT 1") == (1,)


def test_a_table_that_is_not_there_yet(pool: Pool) -> None:
    for statement in ("SELECT 1 FROM later", "SELECT later FROM things", "SELECT later(1)"):
        with pytest.raises(SchemaError, match="relay migrate"):
            run(pool, statement)


def test_a_prepared_statement_whose_table_was_changed(url: str) -> None:
    with Pool(url, size=1) as pool:
        run(pool, "PREPARE all_of_it AS SELECT * FROM things", "EXECUTE all_of_it")
        administer(url, "ALTER TABLE things ADD COLUMN more text")
        with trouble("schema", "0A000"):
            run(pool, "EXECUTE all_of_it")
        run(pool, "PREPARE all_of_it AS SELECT * FROM things", "EXECUTE all_of_it")  # on another connection
    administer(url, "ALTER TABLE things DROP COLUMN more")


def test_a_permission_that_was_taken_away(url: str) -> None:
    administer(url, "DROP ROLE IF EXISTS nobody", "CREATE ROLE nobody LOGIN PASSWORD 'one'")
    parts = urlsplit(url)
    theirs = parts._replace(netloc=f"nobody:one@{parts.hostname}:{parts.port}").geturl()
    with Pool(theirs) as pool, trouble("refused", "42501"):
        run(pool, "INSERT INTO things VALUES (1)")
    administer(url, "DROP ROLE nobody")


def test_a_connection_that_is_cut_after_the_commit_leaves_an_unknown_outcome(pool: Pool, url: str) -> None:
    parts = urlsplit(url)
    with cutting_commits(int(parts.port or 0)) as port:
        behind = parts._replace(netloc=f"{parts.username}:{parts.password}@{parts.hostname}:{port}").geturl()
        with Pool(behind) as cut, trouble("unreachable"):
            run(cut, "INSERT INTO things VALUES (1, 'written all the same')")
    assert run(pool, "SELECT told FROM things") == ("written all the same",)


# What is said of it


def test_trouble_is_told_once_and_never_with_what_people_wrote(pool: Pool) -> None:
    with capture_logs() as logs:
        for _ in range(5):
            with pytest.raises(DatabaseError) as failed:
                run(pool, "SELECT nowhere.told, 'a secret of mine' FROM things")
    assert "a secret of mine" not in str(failed.value)
    assert [one["event"] for one in logs] == ["database_in_trouble"]


QUOTING = {
    "a row with nothing where something must be": "INSERT INTO things VALUES (NULL, 'a secret of mine')",
    "a key that is there already": "CREATE UNIQUE INDEX told ON things (told)",
    "a value": "SELECT 'a secret of mine'::integer",
    "a text": """SELECT '{"a": "a secret of mine \\u0000"}'::jsonb""",
    "a statement that cannot be read": "SELEKT 'a secret of mine'",
}


@contextmanager
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All lines of the log, as a daemon writes them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    as_web_logs()
    try:
        yield lambda: capsys.readouterr().err
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()


class Asking(RelayActor):
    """Has a statement of its own run, as actors do."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    def handle(self, command: str) -> None:
        try:
            run(self._pool, command)
        except DatabaseError as error:
            raise RuntimeError("whoever asked cannot go on") from error


@pytest.mark.parametrize("what", QUOTING)
def test_the_log_of_an_actor_that_fails_holds_nothing_that_people_wrote(
    pool: Pool, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(pool, "INSERT INTO things VALUES (2, 'a secret of mine'), (3, 'a secret of mine')")
    with log_lines(capsys) as written:
        asking = Asking.start(pool)
        asking.tell(QUOTING[what])
        asking.ask(Ping(), timeout=PATIENCE)
        asking.stop()
        told = written()
    assert "actor_failed" in told
    assert "Traceback" in told
    assert "a secret of mine" not in told


def test_bytes_that_are_no_text_in_the_databases_place_are_its_trouble() -> None:
    """Somebody else listens at its port. Whoever waits for PostgreSQL waits on, also for its notifications."""
    somebody = StreamServer(("127.0.0.1", 0), lambda sock, _: sock.sendall(b"\xaa" * 400))
    somebody.start()
    try:
        with Pool(f"postgresql://relay@127.0.0.1:{somebody.server_port}/relay") as pool:
            with trouble("unreachable"), pool.transaction():
                pass
            with trouble("unreachable"):
                pool.connection()
    finally:
        somebody.stop()
