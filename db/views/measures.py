"""What one daemon reads by the minute for /metrics: by indexes, a bounded number of rows of each line."""

from __future__ import annotations

from dataclasses import dataclass

from db.cursor import Cursor
from db.daemons import home
from db.daemons.versions import WEB_SECONDS
from db.pool import Pool
from relay.core.explain.kinds import WaitingGroup
from relay.core.status import LISTED_UNFINISHED

MOST = 1_000
"""Of a line, direction and state so many are looked at, the oldest; how many more wait, nobody needs to know."""

WAITING = """SELECT l.id::text AS line_id, d.direction, t.status AS tenant_status, l.status AS line_status, cr.health,
  w.state, w.failed, w.fetching, w.count, greatest(0, extract(epoch FROM now() - w.oldest_at))::float AS oldest_seconds
FROM lines l JOIN tenants t ON t.id = l.tenant_id CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
LEFT JOIN tenant_credentials cr ON cr.tenant_id = l.tenant_id
 AND cr.type = CASE d.direction WHEN 'inbound' THEN 'genesys' ELSE 'whatsapp' END
CROSS JOIN LATERAL (
  SELECT u.state, u.failed, u.fetching, count(*) AS count, min(u.arrived_at) AS oldest_at
  FROM unnest(%(unfinished)s) s CROSS JOIN LATERAL (
    SELECT m.state, m.reason_code IS NOT NULL AS failed, m.arrived_at,
           m.attempts = 0 AND coalesce(m.content -> 'media' <> 'null', false)
            AND m.content -> 'media' ->> 'object_key' IS NULL AS fetching
    FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = s AND m.direction = d.direction
    ORDER BY m.arrived_at, m.seq LIMIT %(most)s) u
  GROUP BY u.state, u.failed, u.fetching) w"""

FLEET = """SELECT (SELECT count(*) FROM daemons WHERE lease_until > now()),
  (SELECT count(*) FROM webs WHERE seen_at > now() - make_interval(secs => %s)),
  (SELECT count(*) FROM shards s
   WHERE NOT EXISTS (SELECT 1 FROM daemons d WHERE d.id = s.owner AND d.lease_until > now()))"""

TABLES = """SELECT relname, pg_total_relation_size(oid), greatest(reltuples, 0)::bigint FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""


@dataclass(frozen=True, slots=True)
class TableSize:
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Measures:
    """`credentials`: how many, by side and health. `lines`: how many, by status.
    `conditions`: how many hold now, by kind. `moved`: the database lies elsewhere, and nobody has said why."""

    waiting: list[WaitingGroup]
    credentials: dict[tuple[str, str], int]
    lines: dict[str, int]
    conditions: dict[str, int]
    daemons: int
    web_workers: int
    unowned_shards: int
    moved: bool
    tables: dict[str, TableSize]


def read(pool: Pool) -> Measures:
    """All of it. Raises StoreError while PostgreSQL is in trouble."""
    with pool.transaction() as cursor:
        cursor.execute(WAITING, {"unfinished": list(LISTED_UNFINISHED), "most": MOST})
        waiting = cursor.all(WaitingGroup)
        cursor.execute("SELECT type, health, count(*) FROM tenant_credentials GROUP BY type, health")
        credentials = {(type_, health): n for type_, health, n in cursor.fetchall()}
        cursor.execute("SELECT status, count(*) FROM lines GROUP BY status")
        lines = dict(cursor.fetchall())
        cursor.execute("SELECT kind, count(*) FROM conditions WHERE over_at IS NULL GROUP BY kind")
        conditions = dict(cursor.fetchall())
        cursor.execute(FLEET, (WEB_SECONDS,))
        daemons, web_workers, unowned = cursor.fetchone()
        moved = home.has_moved(cursor)
        return Measures(waiting, credentials, lines, conditions, daemons, web_workers, unowned, moved, _tables(cursor))


def _tables(cursor: Cursor) -> dict[str, TableSize]:
    cursor.execute(TABLES)
    return {name: TableSize(size, rows) for name, size, rows in cursor.fetchall()}
