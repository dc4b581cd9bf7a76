"""The relay's daemons as an operator sees them: who is alive, and what share of the work each has. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.pool import Pool

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Daemon:
    """`alive`: its lease has not run out; `shards` are the numbers of those it owns."""

    id: str
    name: str
    started_at: datetime
    lease_until: datetime
    alive: bool
    shards: list[int]


@dataclass(frozen=True, slots=True)
class Fleet:
    """`unowned`: shards that no living daemon has; nothing of their conversations moves."""

    daemons: list[Daemon]
    shards: int
    unowned: int


def fleet(pool: Pool) -> Fleet:
    """The living first, then those that went within the last day."""
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT d.id::text, d.name, d.started_at, d.lease_until, d.lease_until > now() AS alive,
                      coalesce((SELECT array_agg(s.n::int ORDER BY s.n) FROM shards s WHERE s.owner = d.id), '{}')
                       AS shards
               FROM daemons d WHERE d.lease_until > now() - interval '1 day'
               ORDER BY alive DESC, d.started_at LIMIT %s""",
            (SHOWN,),
        )
        daemons = cursor.all(Daemon)
        cursor.execute(
            """SELECT count(*) AS shards, count(*) FILTER (WHERE NOT EXISTS (
                 SELECT 1 FROM daemons d WHERE d.id = s.owner AND d.lease_until > now())) AS unowned FROM shards s"""
        )
        [shards] = cursor.dicts()
        return Fleet(daemons, **shards)
