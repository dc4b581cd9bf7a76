"""What the operator's commands do, one function each; `relay.__main__` gives them their names."""

from __future__ import annotations

from conf.settings import Settings
from db import credentials
from db.migrate import check_shards
from db.pool import Pool
from db.reshard import reshard
from relay.bootstrap import build_cipher
from relay.broker import topology

OFFLINE_SECONDS = 3600.0
"""A command with everything stopped may take its time."""


class NotNowError(RuntimeError):
    """The command cannot run as things stand; the text says what to do."""


def rotate_keys(settings: Settings) -> int:
    """Seal every secret anew with the first of CREDENTIALS_KEYS; afterwards the others may be removed."""
    with Pool(settings.database_url, size=1, statement_seconds=OFFLINE_SECONDS) as pool:
        return credentials.reseal(pool, build_cipher(settings))


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
