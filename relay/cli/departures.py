"""`relay tenants`: close a tenant, have it deleted, and follow that to its certificate. Lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from conf.settings import Settings
from db.audit import Author
from db.pool import Pool
from db.tenants import deletions
from db.tenants.changes import Changes, Ref
from db.tenants.deletions import TenantDeletion
from db.whole import whole
from relay.clients import build_changes, build_cipher
from relay.stores.cache import Cache

BY = Author("command line")


def close(settings: Settings, tenant_id: str, days: float) -> Iterator[str]:
    """Raises NotFoundError, TakenError, ChangedMeanwhileError."""
    refs: set[Ref] = set()
    cipher = build_cipher(settings)
    with Pool(settings.database_url, size=1) as pool, closing(Cache(settings.redis_url, cipher)) as cache:
        with whole(pool) as one:
            found = deletions.close(Changes(one, refs.update), BY, tenant_id, days)
        build_changes(pool, cache).forget(refs)
    yield f"{found.name} is closed: its lines are let go, its keys revoked, its people shut out"
    yield f"it is deleted from {found.begins_at:%Y-%m-%d %H:%M} UTC on; until then `relay tenants keep` takes it back"


def delete_now(settings: Settings, tenant_id: str, name: str) -> Iterator[str]:
    """Raises NotFoundError, TakenError."""
    with Pool(settings.database_url, size=1) as pool:
        found = deletions.begin_now(pool, BY, tenant_id, name)
    yield f"the daemons delete {found.name} from {found.begins_at:%Y-%m-%d %H:%M:%S} UTC on"


def keep(settings: Settings, tenant_id: str) -> Iterator[str]:
    """Raises NotFoundError, TakenError."""
    with Pool(settings.database_url, size=1) as pool:
        deletions.take_back(pool, BY, tenant_id)
    yield "it is not deleted; its people may log in again, its lines have to complete their onboarding anew"


def show(settings: Settings, tenant_id: str | None) -> Iterator[str]:
    """How far it is, or the certificate; without an id of all. Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        found = deletions.listed(pool) if tenant_id is None else [deletions.get(pool, tenant_id)]
    for one in found:
        yield from _told(one)


def _told(one: TenantDeletion) -> Iterator[str]:
    yield f"tenant {one.tenant_id}, closed {one.closed_at:%Y-%m-%d %H:%M:%S} UTC"
    if one.ended_at:
        yield f"  deleted {one.ended_at:%Y-%m-%d %H:%M:%S} UTC"
    elif one.begun_at:
        yield f"  under way: {one.stage}" + (f": {one.trouble}" if one.trouble else "")
    else:
        yield f"  {one.name}: begins {one.begins_at:%Y-%m-%d %H:%M} UTC"
    for place, count in sorted(one.counts.items()):
        yield f"  {place}: {count}"
