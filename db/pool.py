"""A bounded pool of PostgreSQL connections that waits when empty, and never blocks the event loop.

Deadlines live here, in the wait callback, and in `statement_timeout`: a database call is never cut
by gevent.Timeout or a kill, because the server may commit all the same. A connection whose deadline
passed is thrown away and its transaction counts as unknown, so callers write idempotently.
Whose fault an error is, is decided in `db.errors`.
"""

from __future__ import annotations

import select
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from copy import copy
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import structlog
from gevent.lock import BoundedSemaphore
from gevent.monkey import get_original
from prometheus_client import Counter, Gauge, Histogram
from psycogreen.gevent import gevent_wait_callback

from db.cursor import Cursor
from db.errors import DatabaseError, away, data_at_fault, without_values
from relay.core.episode import Episode

__all__ = ["DatabaseError", "Pool"]

psycopg2.extras.register_uuid()

FAILURES = Counter(
    "relay_database_failures_total",
    "Transactions that PostgreSQL did not do; each is waited for and repeated",
    ["kind"],
)

BUSY = Gauge(
    "relay_database_connections_busy", "Connections to PostgreSQL that are in use", multiprocess_mode="livesum"
)
WAITS = Histogram(
    "relay_database_wait_seconds",
    "Waiting for a free connection, where none was free at once",
    buckets=(0.001, 0.01, 0.1, 1, 10),
)

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5.0
# One plan for each prepared statement, and always by an index: neither missing statistics nor a small table that grows
# may lead to another. JIT would take a forbidden plan's price for work worth compiling.
STEADY = " ".join(
    f"-c {setting}"
    for setting in (
        "plan_cache_mode=force_generic_plan", "enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off",
        "jit=off",
    )
)  # fmt: skip
AS_TENANT = """SET LOCAL ROLE relay_tenant;
 SELECT set_config('relay.tenant', %s, true), set_config('relay.lines', %s, true)"""
# Only looks and never waits, so it need not go through gevent's hub.
_poll = get_original("select", "poll")


def _wait(connection: Any) -> None:
    """psycogreen's wait on gevent's hub, bounded by the connection's own deadline."""
    # Migrations and tests open connections of their own; theirs carry no deadline.
    remaining = getattr(connection, "deadline", time.monotonic() + CONNECT_SECONDS * 6) - time.monotonic()
    try:
        gevent_wait_callback(connection, timeout=max(remaining, 0.001))
    except TimeoutError as error:
        raise psycopg2.OperationalError("the database did not answer within the deadline") from error
    except UnicodeDecodeError as error:  # psycopg2 reads an error's text: one that somebody else says in its place
        raise psycopg2.OperationalError("what answers in the database's place says nothing readable") from error
    except OSError as error:  # of the socket
        raise psycopg2.OperationalError(f"the connection to the database is lost: {type(error).__name__}") from error


class _Connection(psycopg2.extensions.connection):
    """Carries the deadline of whoever uses it now (time.monotonic), and which statements it has prepared."""

    deadline: float

    def __init__(self, dsn: str, asynchronous: int = 0) -> None:
        self.deadline = time.monotonic() + CONNECT_SECONDS
        self.prepared: set[str] = set()
        super().__init__(dsn, asynchronous)


class Pool:
    """`transaction()` lends a cursor; `size` connections at most, opened on demand.

    `idle_in_transaction_seconds` must stay below the daemons' lease: a stopped process would
    otherwise hold row locks that its successor needs. `steady` is for whoever carries messages: prepared statements
    keep one plan, by indexes, however large the tables are and whatever is known about them.
    """

    def __init__(
        self,
        url: str,
        size: int = 8,
        *,
        statement_seconds: float = 10.0,
        idle_in_transaction_seconds: float = 5.0,
        steady: bool = False,
    ) -> None:
        psycopg2.extensions.set_wait_callback(_wait)
        self._url = url
        self._options = (
            f"-c statement_timeout={int(statement_seconds * 1000)} "
            f"-c idle_in_transaction_session_timeout={int(idle_in_transaction_seconds * 1000)} "
            f"-c TimeZone=UTC {STEADY if steady else ''}"
        )
        self._seconds = statement_seconds + 2.0
        self._free: list[Any] = []
        self._slots = BoundedSemaphore(size)
        self._tenant_id: str | None = None
        self._line_ids = ""
        self._trouble = Episode()

    def of_tenant(self, tenant_id: str, line_ids: Collection[str] | None = None) -> Self:
        """The same connections, on which PostgreSQL itself shows and takes rows of this tenant only.

        `line_ids`: of these lines only, and nothing that is the tenant's as a whole. None: all of it.
        """
        limited = copy(self)
        limited._tenant_id = str(UUID(tenant_id))
        limited._line_ids = "" if line_ids is None else f"{{{','.join(str(UUID(one)) for one in line_ids)}}}"
        return limited

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self, seconds: float | None = None) -> Iterator[Cursor]:
        """A cursor inside one transaction: committed at the end, rolled back on any exception.

        Raises DatabaseError when the server is away, refuses, or the deadline (`seconds`) passed: nothing is wrong
        with the data. Errors that are the data's fault come through as psycopg2's, in words without values.
        """
        with self._lend(seconds) as connection:
            connection.autocommit = False
            with _committing(connection), connection.cursor() as cursor:
                if self._tenant_id is not None:
                    cursor.execute(AS_TENANT, (self._tenant_id, self._line_ids))
                yield cursor

    @contextmanager
    def autocommit(self, seconds: float | None = None) -> Iterator[Cursor]:
        """A cursor whose every statement is its own transaction: one round trip for one statement.

        Limited to a tenant they share one transaction, because the limit ends with it.
        """
        if self._tenant_id is not None:
            with self.transaction(seconds) as cursor:
                yield cursor
            return
        with self._lend(seconds) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor

    @contextmanager
    def _lend(self, seconds: float | None) -> Iterator[Any]:
        seconds = self._seconds if seconds is None else seconds
        if not self._acquire(seconds):
            raise self._failed(DatabaseError("all database connections of this process are busy", "busy"))
        connection = None
        try:
            connection = self._take()
            connection.deadline = time.monotonic() + seconds
            yield connection
            self._free.append(connection)
            connection = None
            self._worked()
        except psycopg2.Error as error:
            # Before anybody sees it: it is logged with its traceback, and stands in dead letters as their reason.
            error.args = (without_values(error),)
            if not data_at_fault(error):
                raise self._failed(away(error)) from error
            if connection is not None and not connection.closed:
                self._free.append(connection)
                connection = None
            raise
        finally:
            if connection is not None:
                connection.close()
            self._slots.release()
            BUSY.dec()

    def _acquire(self, seconds: float) -> bool:
        """A slot; only a wait for it is counted, so that the usual case costs nothing."""
        acquired = bool(self._slots.acquire(blocking=False))
        if not acquired:
            with WAITS.time():
                acquired = bool(self._slots.acquire(timeout=seconds))
        if acquired:
            BUSY.inc()
        return acquired

    def _take(self) -> Any:
        """A free connection that the server has not ended meanwhile, else a new one."""
        while self._free:
            connection = self._free.pop()
            if not _ended(connection):
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> Any:
        return psycopg2.connect(self._url, connection_factory=_Connection, cursor_factory=Cursor, options=self._options)

    def _failed(self, error: DatabaseError) -> DatabaseError:
        """Count it, tell it once, and let go of connections to a server that is not the one to write to any more."""
        FAILURES.labels(error.kind).inc()
        if self._trouble.failed(time.monotonic()):
            log.warning("database_in_trouble", kind=error.kind, error=str(error))
        if error.kind == "read_only":
            self.close()
        return error

    def _worked(self) -> None:
        lasted = self._trouble.worked(time.monotonic())
        if lasted is not None:
            log.warning("database_works_again", seconds=round(lasted, 1))

    def connection(self) -> Any:
        """A connection outside the pool, for LISTEN; the caller closes it. Raises DatabaseError."""
        try:
            return psycopg2.connect(self._url, connection_factory=_Connection)
        except psycopg2.Error as error:
            raise self._failed(away(error)) from error

    def close(self) -> None:
        while self._free:
            self._free.pop().close()


@contextmanager
def _committing(connection: Any) -> Iterator[None]:
    """Not psycopg2's own: that asks a connection that has ended to roll back, and so hides why it ended."""
    try:
        yield
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    connection.commit()


def _ended(connection: Any) -> bool:
    """Nobody asked an idle connection anything: what there is to read is the server's goodbye."""
    if connection.closed:
        return True
    look = _poll()
    look.register(connection.fileno(), select.POLLIN)
    return bool(look.poll(0))
