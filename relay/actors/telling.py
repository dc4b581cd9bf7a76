"""TellingActor: tells people and webhooks what has changed, each addressee by one daemon at a time.

It waits for none of them: each is told in a greenlet of its own, few of one tenant at once. So a mail server or webhook
that hangs delays its own tenant's.
"""

from __future__ import annotations

from collections import Counter

import structlog
from gevent.lock import BoundedSemaphore
from gevent.pool import Group

from db.conditions import addressees
from db.conditions.addressees import DueAddressee, share_of
from relay import metrics
from relay.actors.told import Told
from relay.core.errors import StoreError
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

log = structlog.get_logger(__name__)

ROOM = {"mail": 4, "webhook": 16}
"""So many are told at once, each kind by itself: the mail server is one for all."""
SHARE = 2
"""Of these, of one tenant."""
CONNECTIONS = 2
"""To PostgreSQL, of the daemon's ten: the messages keep the others."""
STOP_SECONDS = 8.0


class TellingActor(RegularActor):
    every_seconds = 5.0
    busy_seconds = 0.5

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._under_way: dict[str, Counter[str]] = {kind: Counter() for kind in ROOM}
        self._greenlets = Group()
        self._database = BoundedSemaphore(CONNECTIONS)

    def work(self) -> bool:
        """True: some are being told, and others may be waiting for their places."""
        for kind in ROOM:
            if kind == "webhook" or self._parts.mail is not None:
                self._fill(kind)
        return bool(self._greenlets)

    def on_stop(self) -> None:
        """One that takes longer is told once more, under the same id."""
        self._greenlets.join(timeout=STOP_SECONDS)

    def _fill(self, kind: str) -> None:
        under_way = self._under_way[kind]
        while under_way.total() < ROOM[kind]:
            full = [share for share, count in under_way.items() if count >= SHARE]
            one = addressees.take(self._parts.pool, kind, full)
            if one is None:
                break
            under_way[share_of(one)] += 1
            self._greenlets.spawn(self._tell, one)

    def _tell(self, one: DueAddressee) -> None:
        """A fault with one is that one's: it is taken again when its time is over."""
        try:
            Told(self._parts, self._database, one).tell()
        except StoreError as error:
            log.warning("conditions_wait_for_postgresql", addressee=one.id, error=str(error))
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("conditions_not_told", addressee=one.id)
        finally:
            self._ended(one)

    def _ended(self, one: DueAddressee) -> None:
        under_way = self._under_way[one.kind]
        under_way[share_of(one)] -= 1
        if not under_way[share_of(one)]:
            del under_way[share_of(one)]
