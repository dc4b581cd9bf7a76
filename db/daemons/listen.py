"""Hearing what other processes tell over PostgreSQL's NOTIFY. A hint, never the only way: the sweep is behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent
import psycopg2
import structlog
from gevent.socket import wait_read

from db.daemons import shards
from db.pool import DatabaseError, Pool
from relay.core.retry import store_backoff

log = structlog.get_logger(__name__)

SILENCE_SECONDS = 30.0
ANSWER_SECONDS = 5.0
CHANNELS = ("relay_wake", "relay_tenants", shards.CHANNEL)


class Listener:
    """Calls `heard(channel, payload)` for each notification, and `reconnected()` when some may be missed."""

    def __init__(self, pool: Pool, heard: Callable[[str, str], None], reconnected: Callable[[], None]) -> None:
        self._pool = pool
        self._heard = heard
        self._reconnected = reconnected
        self._failures = 0
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        """`on_failure` hears of an end that nobody asked for."""
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link_exception(lambda ended: on_failure(ended.exception))

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        while True:
            try:
                self._listen()
            except (DatabaseError, psycopg2.Error, OSError, UnicodeDecodeError) as error:
                self._failures += 1
                if self._failures == 1:
                    log.warning("listener_disconnected", error=type(error).__name__)
            gevent.sleep(store_backoff(self._failures))

    @staticmethod
    def _await_word(connection: Any) -> None:
        """A connection that died without a goodbye would be waited on for hours: ask it now and then.

        So would one to a server that is a standby by now: nobody tells anything there.
        """
        try:
            wait_read(connection.fileno(), timeout=SILENCE_SECONDS)
            connection.poll()
        except TimeoutError:
            connection.deadline = time.monotonic() + ANSWER_SECONDS
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('transaction_read_only')")
                if cursor.fetchone() == ("on",):
                    raise DatabaseError("this server takes no writes", "read_only") from None

    def _listen(self) -> None:
        connection = self._pool.connection()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for channel in CHANNELS:
                    cursor.execute(f"LISTEN {channel}")
            self._reconnected()
            self._failures = 0
            while True:
                self._await_word(connection)
                while connection.notifies:
                    notice = connection.notifies.pop(0)
                    self._heard(notice.channel, notice.payload)
        finally:
            connection.close()
