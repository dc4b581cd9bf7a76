"""message_hours: what the figures of past hours are read from, counted by the daemons.

An hour is counted when it is over, and again after 8 and after 32 hours, when the receipts of nearly all of its
messages have come. How far each pass has come stands in relay_settings; whoever holds that row counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.cursor import Cursor
from db.pool import Pool
from relay.core.status import LISTED

LIVE_HOURS = 2
"""The current hour and the one before are counted by whoever asks: too much still happens to them."""


@dataclass(frozen=True, slots=True)
class CountingRun:
    """`name` in relay_settings holds the next hour to count, which is due `age` hours after it began."""

    name: str
    age: int


PASSES = (
    CountingRun("hours_counted", LIVE_HOURS),
    CountingRun("hours_counted_8", 9),
    CountingRun("hours_counted_32", 33),
)

# The messages of one line, direction and span of time; `ignored` ones had nothing to relay and are no messages.
COUNTED = f"""SELECT count(*) AS total, count(m.sent_at) AS sent,
  count(coalesce(m.delivered_at, m.read_at)) AS delivered,
  count(*) FILTER (WHERE m.state IN ('failed', 'dead')) AS failed
FROM message_tracking m WHERE m.line_id = l.id AND m.direction = d.direction
  AND m.listed_as = ANY ('{{{",".join(one for one in LISTED if one != "ignored")}}}')"""

COUNT = f"""INSERT INTO message_hours (tenant_id, hour, direction, total, sent, delivered, failed)
SELECT l.tenant_id, %(hour)s, d.direction, sum(n.total), sum(n.sent), sum(n.delivered), sum(n.failed)
FROM lines l CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
CROSS JOIN LATERAL ({COUNTED} AND m.arrived_at >= %(hour)s AND m.arrived_at < %(hour)s + interval '1 hour') n
GROUP BY l.tenant_id, d.direction HAVING sum(n.total) > 0
ON CONFLICT (tenant_id, hour, direction) DO UPDATE SET total = excluded.total, sent = excluded.sent,
  delivered = excluded.delivered, failed = excluded.failed, counted_at = now()"""

# The first pass begins with the oldest message there is, the others with what is of their age now.
BEGIN = """INSERT INTO relay_settings (name, value)
SELECT p.name, (CASE WHEN p.age > %(live)s THEN p.due ELSE least(p.due, date_trunc('hour', (
  SELECT min(o.arrived_at) FROM lines l CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
  CROSS JOIN unnest(%(listed)s) s
  CROSS JOIN LATERAL (SELECT m.arrived_at FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = s
   AND m.direction = d.direction ORDER BY m.arrived_at LIMIT 1) o))) END)::text
FROM (SELECT name, age, date_trunc('hour', now() - make_interval(hours => age)) AS due
      FROM unnest(%(names)s, %(ages)s) p (name, age)) p
ON CONFLICT (name) DO NOTHING"""


def count_due(pool: Pool, most: int = 24) -> int:
    """Count up to `most` hours that are due, each in a transaction of its own. Returns how many."""
    with pool.transaction() as cursor:
        names, ages = [one.name for one in PASSES], [one.age for one in PASSES]
        cursor.execute("SELECT count(*) FROM relay_settings WHERE name = ANY(%s)", (names,))
        if cursor.fetchone()[0] < len(PASSES):
            cursor.execute(BEGIN, {"names": names, "ages": ages, "live": LIVE_HOURS, "listed": list(LISTED)})
    counted = 0
    for one in PASSES:
        while counted < most and _count_next(pool, one):
            counted += 1
    return counted


def _count_next(pool: Pool, one: CountingRun) -> bool:
    """False: nothing is due, or another daemon is at it."""
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT value::timestamptz FROM relay_settings WHERE name = %s
                AND value::timestamptz + make_interval(hours => %s) <= now() FOR UPDATE SKIP LOCKED""",
            (one.name, one.age),
        )
        row = cursor.fetchone()
        if row is None:
            return False
        _count(cursor, row[0])
        cursor.execute(
            "UPDATE relay_settings SET value = (value::timestamptz + interval '1 hour')::text WHERE name = %s",
            (one.name,),
        )
    return True


def _count(cursor: Cursor, hour: datetime) -> None:
    cursor.execute(COUNT, {"hour": hour})
