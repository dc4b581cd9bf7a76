"""`relay lines`: who has a number or an integration, and letting a line go. All comes back as text for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from conf.settings import Settings
from db.audit import Author
from db.pool import Pool
from db.tenants import ownership, registry
from db.tenants.changes import NotFoundError
from db.tenants.onboarding import Line
from relay.clients import build_changes, build_cipher
from relay.stores.cache import Cache

BY = Author("command line")


def find(settings: Settings, ref: str) -> Iterator[str]:
    """All tenants' lines with this phone number id, integration id or line id. Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        found = ownership.find(pool, ref)
        if not found:
            raise NotFoundError(f"no line of any tenant has the id {ref}")
        for line in found:
            yield _told(pool, line)


def release(settings: Settings, line_id: str, reason: str | None) -> str:
    """Raises NotFoundError, TakenError."""
    cipher = build_cipher(settings)
    with Pool(settings.database_url, size=1) as pool, closing(Cache(settings.redis_url, cipher)) as cache:
        line = next((one for one in ownership.find(pool, line_id) if one.id == line_id), None)
        if line is None:
            raise NotFoundError(f"there is no line {line_id}")
        done = ownership.release(build_changes(pool, cache), BY, line.tenant_id, line.id, reason or ownership.NO_REASON)
        return _told(pool, done)


def _told(pool: Pool, line: Line) -> str:
    tenant = registry.get(pool, line.tenant_id)
    status = "waits for proof" if line.ask_at else line.status
    return (
        f"{line.id}  {status:<15}  number {line.phone_number_id}, integration {line.integration_id}, "
        f"tenant {line.tenant_id} ({tenant.name if tenant else '-'})"
    )
