"""A worker of web tells that it is at work, and in which version, so that nothing is taken away that it still uses."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from uuid import uuid4

import gevent
import structlog

from db.daemons import versions
from db.daemons.versions import WrongVersionError
from db.pool import Pool
from relay.core.errors import StoreError

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0


class Attendance:
    """One per worker. `refuse` hears why it may not go on; a worker that is started anew says the same and ends."""

    def __init__(self, pool: Pool, refuse: Callable[[str], None]) -> None:
        self._pool = pool
        self._refuse = refuse
        self._id = str(uuid4())
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """From now on, in the background."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def tell(self) -> bool:
        """Whether it may go on. Raises DatabaseError."""
        try:
            versions.web_is_at_work(self._pool, self._id, self._name)
        except WrongVersionError as error:
            log.error("web_cannot_go_on", reason=str(error))
            self._refuse(str(error))
            return False
        return True

    def _run(self) -> None:
        while True:
            try:
                if not self.tell():
                    return
            except StoreError as error:
                log.debug("attendance_waits", error=str(error))
            except Exception:
                log.exception("attendance_failed")
            gevent.sleep(EVERY_SECONDS)
