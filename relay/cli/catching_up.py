"""`relay catch-up`: have the daemons ask Genesys what its agents wrote, and tell what they found. Lines for people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

from conf.settings import Settings
from db.audit import Author
from db.pool import Pool
from db.tenants import catch_ups, ownership
from db.tenants.changes import NotFoundError, TakenError
from relay.clients import build_changes, build_cipher
from relay.core.explain.catching_up import told
from relay.stores.cache import Cache

BY = Author("command line")
LOOK_SECONDS = 0.5
NOBODY_SECONDS = 15.0
"""A daemon begins within two seconds."""


def line(settings: Settings, line_id: str, hours: float) -> Iterator[str]:
    """Ask, then follow until it has ended; also one that is under way already. Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool, closing(_cache(settings)) as cache:
        known = next((one for one in ownership.find(pool, line_id) if one.id == line_id), None)
        if known is None:
            raise NotFoundError(f"there is no line {line_id}")
        try:
            wanted = catch_ups.want(build_changes(pool, cache), BY, known.tenant_id, line_id, hours * 3600)
            yield f"{line_id}: wanted, {hours:g} hours back"
        except TakenError as error:
            yield f"{line_id}: {error}"
            found = catch_ups.of_line(pool, line_id)
            if found is None or not found.at_work or found.begun_at is None:
                return
            wanted = found.begun_at
        yield from _followed(pool, line_id, wanted)


def standing(settings: Settings, line_id: str) -> str:
    """How the newest one stands."""
    with Pool(settings.database_url, size=1) as pool:
        found = catch_ups.of_line(pool, line_id)
    return f"{line_id}: {told(found) if found else 'was never caught up with'}"


def _followed(pool: Pool, line_id: str, wanted: datetime) -> Iterator[str]:
    """A line for each change, until what was asked for has ended, or nobody begins."""
    nobody_at, said = time.monotonic() + NOBODY_SECONDS, ""
    while (now := catch_ups.of_line(pool, line_id)) is not None:
        begun = now.begun_at is not None and now.begun_at >= wanted
        if begun and (text := told(now)) != said:
            said = text
            yield f"{line_id}: {text}"
        if begun and now.ended_at is not None:
            return
        if not begun and not now.at_work and time.monotonic() > nobody_at:
            yield "No daemon has begun. As soon as one runs it does; --show tells how it stands."
            return
        time.sleep(LOOK_SECONDS)


def _cache(settings: Settings) -> Cache:
    return Cache(settings.redis_url, build_cipher(settings))
