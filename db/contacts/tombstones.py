"""tombstones: what was on its way when its person was erased is dropped when it comes.

Only keyed digests of names are kept. What the person writes afterwards is somebody new's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from math import isfinite
from uuid import UUID

from db.cursor import Cursor
from db.pool import Pool
from db.tenants import deletions
from db.tenants.signers import Signers
from relay.core.erasure import spellings
from relay.core.messages import Event, Ignored, Message, Notice, Receipt, Update

DAYS = 10
"""Meta repeats a webhook for seven."""
REFRESH_SECONDS = 5.0
LATE_SECONDS = 60.0
"""So much later than its own time one may be committed: longer than a transaction lasts."""
TIDY_SECONDS = 3600.0
MOST = 200_000
"""In memory; each takes 200 bytes."""


def digests(signers: Signers, tenant_id: str, names: Iterable[str]) -> list[str]:
    """Of every spelling of these names."""
    every = {one for name in names for one in spellings(name)}
    return sorted(signers.digest(f"person\n{tenant_id}\n{one}") for one in every)


def put(cursor: Cursor, tenant_id: str, found: list[str]) -> None:
    """From now on; a person who is erased once more has the later time."""
    cursor.execute(
        """INSERT INTO tombstones (tenant_id, digest, erased_at, until)
           SELECT %s, d, now(), now() + make_interval(days => %s) FROM unnest(%s) d
           ON CONFLICT (tenant_id, digest) DO UPDATE SET erased_at = excluded.erased_at, until = excluded.until""",
        (UUID(tenant_id), DAYS, found),
    )


def expire(pool: Pool) -> None:
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM tombstones WHERE until < now()")


class Tombstones:
    """Those in force. Every few seconds whoever is about to take something in reads those that are new."""

    def __init__(self, pool: Pool, signers: Signers) -> None:
        self._pool = pool
        self._signers = signers
        self._erased: dict[str, dict[str, float]] = {}
        self._departed: set[str] = set()
        self._read_at = float("-inf")
        self._through = float("-inf")
        """PostgreSQL's time of the last look."""
        self._tidied = float("-inf")

    def refresh(self) -> None:
        """Raises DatabaseError."""
        now = time.monotonic()
        if now - self._read_at < REFRESH_SECONDS:
            return
        with self._pool.autocommit() as cursor:
            cursor.execute(
                """SELECT tenant_id::text, digest, extract(epoch FROM erased_at)::float8 FROM tombstones
                   WHERE erased_at > coalesce(to_timestamp(%(after)s), '-infinity') AND until > now()
                   ORDER BY erased_at DESC LIMIT %(most)s""",
                {"after": self._through - LATE_SECONDS if isfinite(self._through) else None, "most": MOST},
            )
            rows = cursor.fetchall()
            self._departed = deletions.departed(cursor)
            cursor.execute("SELECT extract(epoch FROM now())::float8")
            self._through = cursor.fetchone()[0]
        for tenant_id, digest, erased_at in rows:
            self._erased.setdefault(tenant_id, {})[digest] = erased_at
        if now - self._tidied > TIDY_SECONDS:
            self._tidied = now
            self._erased = _newest(self._erased, self._through - DAYS * 86400)
        self._read_at = now

    def erased_at(self, tenant_id: str, name: str) -> float | None:
        """When whoever has this name was erased, in Unix seconds."""
        found = self._erased.get(tenant_id)
        if not found or not name:
            return None
        return found.get(self._signers.digest(f"person\n{tenant_id}\n{name}"))

    def departed(self, tenant_id: str) -> bool:
        """The tenant itself is being deleted, or was a short while ago: nothing is taken in for it."""
        return tenant_id in self._departed

    def some(self, tenant_id: str) -> bool:
        """Whether anybody of this tenant was erased lately."""
        return tenant_id in self._erased

    def erased_since(self, tenant_id: str, at: float, name: str) -> bool:
        """Whether whoever has this name was erased at `at` or later."""
        erased = self.erased_at(tenant_id, name)
        return erased is not None and at <= erased

    def cover(self, update: Update, event: Event) -> bool:
        """It came, or was written, before its person was erased; or its tenant is gone."""
        if update.tenant_id in self._departed:
            return True
        if update.tenant_id not in self._erased:
            return False
        times = [self.erased_at(update.tenant_id, name) for name in {update.address, *_names(event)}]
        erased = max((at for at in times if at is not None), default=None)
        if erased is None:
            return False
        return update.arrived_at <= erased or 0 < _written_at(event) < int(erased)


def _newest(erased: dict[str, dict[str, float]], since: float) -> dict[str, dict[str, float]]:
    """Those in force, MOST of them."""
    times = sorted((at for held in erased.values() for at in held.values() if at > since), reverse=True)
    oldest = times[MOST - 1] if len(times) >= MOST else since
    kept = {
        tenant_id: {d: at for d, at in held.items() if at > since and at >= oldest}
        for tenant_id, held in erased.items()
    }
    return {tenant_id: held for tenant_id, held in kept.items() if held}


def _names(event: Event) -> Iterable[str]:
    if isinstance(event, Receipt):
        return event.aliases
    if isinstance(event, Notice):
        return ()
    person = event.person
    return [one for one in (person.address, person.wa_id, person.bsuid, person.parent_bsuid) if one]


def _written_at(event: Event) -> float:
    """By the provider, in whole seconds mostly; 0: not told."""
    if isinstance(event, (Message, Ignored)):
        return event.provider_time
    return event.time if isinstance(event, Receipt) else 0.0
