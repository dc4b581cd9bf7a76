"""How many shards each daemon is to have."""

from __future__ import annotations

from collections.abc import Collection


def share(daemon_id: str, living: Collection[str], shards: int) -> int:
    """An even part: those first by id have one more where it does not come out even. All parts together are `shards`.

    A daemon that is not among the living has none.
    """
    if daemon_id not in living:
        return 0
    each, more = divmod(shards, len(living))
    return each + (sorted(living).index(daemon_id) < more)
