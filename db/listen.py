"""Hearing what other processes tell over PostgreSQL's NOTIFY. A hint, never the only way: the sweep is behind it."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import psycopg2
import structlog
from gevent.socket import wait_read

from db.pool import DatabaseError, Pool
from relay.core.retry import backoff

log = structlog.get_logger(__name__)

CHANNELS = ("relay_wake", "relay_tenants")


class Listener:
    """Calls `heard(channel, payload)` for each notification, and `reconnected()` when some may be missed."""

    def __init__(self, pool: Pool, heard: Callable[[str, str], None], reconnected: Callable[[], None]) -> None:
        self._pool = pool
        self._heard = heard
        self._reconnected = reconnected
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        """`on_failure` hears of an end that nobody asked for."""
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link_exception(lambda ended: on_failure(ended.exception))

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        failures = 0
        while True:
            try:
                self._listen()
            except (DatabaseError, psycopg2.Error, OSError) as error:
                failures += 1
                log.warning("listener_disconnected", error=type(error).__name__)
            gevent.sleep(backoff(min(failures, 6)))

    def _listen(self) -> None:
        connection = self._pool.connection()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for channel in CHANNELS:
                    cursor.execute(f"LISTEN {channel}")
            self._reconnected()
            while True:
                wait_read(connection.fileno())
                connection.poll()
                while connection.notifies:
                    notice = connection.notifies.pop(0)
                    self._heard(notice.channel, notice.payload)
        finally:
            connection.close()
