"""What the operator's commands do, one function each; `relay.__main__` gives them their names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

from conf.settings import Settings
from db import audit
from db.access import idempotency, lineage, openid, second_factor
from db.audit import Author
from db.conditions import addressees
from db.daemons import home, restore
from db.daemons.reshard import reshard
from db.daemons.restore import TakenIntoUse
from db.endpoints import registry as endpoints
from db.migrate import check_shards, migrate
from db.pool import Pool
from db.tenants import credentials, drafts, registry, signers
from relay.broker import topology
from relay.cli import doctor
from relay.cli.doctor import ReportBlock
from relay.cli.speaking import NotNowError
from relay.clients import build_changes, build_channels, build_cipher, build_ours
from relay.stores.cache import Cache

OFFLINE_SECONDS = 3600.0
"""A command with everything stopped may take its time."""


def examine(settings: Settings, tenant_id: str | None = None) -> Iterator[ReportBlock]:
    """The installation's own parts, then line by line what both providers and our own side say.

    Without `tenant_id` all active lines; with it all lines of that tenant. Raises NotNowError, StoreError.
    """
    installation = ReportBlock("This installation", doctor.installation(settings))
    yield installation
    if installation.lacks("database"):
        return  # which has the lines
    cipher = build_cipher(settings)
    with Pool(settings.database_url, size=4) as pool, closing(Cache(settings.redis_url, cipher)) as cache:
        if tenant_id is not None and registry.get(pool, tenant_id) is None:
            raise NotNowError(f"there is no tenant {tenant_id}")
        channels = build_channels(settings, cache, build_changes(pool, cache))
        yield from doctor.lines(pool, cipher, channels, build_ours(settings), tenant_id)


def bring_up_to_date(settings: Settings) -> list[str]:
    """The newest schema; answers with the names of what was applied. Raises ShardCountError."""
    applied = migrate(settings.database_url, settings.relay_shards)
    with Pool(settings.database_url, size=1) as pool, pool.transaction() as cursor:
        lineage.mark(cursor, settings.admin_api_key.get_secret_value())
    return applied


def take_into_use(settings: Settings, lost_at: datetime) -> TakenIntoUse:
    """A database from a backup goes on from here. Raises WrongTimeError, StillRunningError, ShardCountError."""
    with Pool(settings.database_url, size=1, statement_seconds=OFFLINE_SECONDS) as pool:
        check_shards(pool, settings.relay_shards)
        return restore.take_into_use(pool, lost_at)


def acknowledge_move(settings: Settings) -> bool:
    """The database lies elsewhere and nothing was lost. Whether it had moved."""
    with Pool(settings.database_url, size=1) as pool:
        check_shards(pool, settings.relay_shards)
        return home.acknowledge(pool)


def keep_keys(settings: Settings) -> int:
    """Keys made with a former ADMIN_API_KEY hang on today's from now on. Returns how many."""
    with Pool(settings.database_url, size=1) as pool, pool.transaction() as cursor:
        count = lineage.keep(cursor, settings.admin_api_key.get_secret_value())
        audit.record(cursor, Author("command line"), "key.kept", detail={"keys": count})
    return count


def rotate_keys(settings: Settings) -> int:
    """Seal every secret anew with the first of CREDENTIALS_KEYS; afterwards the others may be removed."""
    with Pool(settings.database_url, size=1, statement_seconds=OFFLINE_SECONDS) as pool:
        cipher = build_cipher(settings)
        kinds = (addressees, credentials, drafts, endpoints, idempotency, openid, second_factor, signers)
        return sum(kind.reseal(pool, cipher) for kind in kinds)


def change_shards(settings: Settings, shards: int) -> int:
    """From RELAY_SHARDS to `shards`. Returns the number of conversations that were given a home."""
    with Pool(settings.database_url, size=1, statement_seconds=OFFLINE_SECONDS) as pool:
        check_shards(pool, settings.relay_shards)
        waiting = topology.waiting(settings.broker_url, settings.relay_shards)
        if waiting:
            raise NotNowError(
                f"{waiting} webhook items wait in the queues: stop web, let a daemon take them in, "
                "stop the daemon, and try again"
            )
        count = reshard(pool, shards)
    topology.declare(settings.broker_url, shards)
    topology.remove(settings.broker_url, range(shards, settings.relay_shards))
    return count
