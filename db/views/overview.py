"""The operator's view of all tenants: totals, and a page of tenants with their trouble. As the owner, read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from db.contacts.mappings import active_since
from db.cursor import Cursor
from db.paging import Page, decode, page
from db.pool import Pool
from db.views.figures import HOUR, HOURS, DeliveryRate, TimeSlot, counts_of, hour_of, hour_slots, summed
from db.views.hours import COUNTED, LIVE_HOURS
from relay.core.explain.reasons import duration
from relay.core.languages import phrase
from relay.core.status import LISTED_UNFINISHED

WAITING = 1000
LONG = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Overview:
    """`conversations` is PostgreSQL's estimate. `messages`: of the last 24 hours, by direction."""

    tenants: dict[str, int]
    lines: int
    active_lines: int
    refused_credentials: int
    conversations: int
    active: int
    messages: dict[str, DeliveryRate]
    hours: list[TimeSlot]
    daemons: int
    unowned_shards: int


@dataclass(frozen=True, slots=True)
class TenantState:
    """`messages_24h`: of the current hour and the 23 before it. `more`: there are more than `waiting`.

    `trouble`: what needs somebody, in words; None: nothing.
    """

    id: str
    name: str
    status: str
    """Of the tenant; `closed` where it is to be deleted."""
    lines: int
    active_lines: int
    messages_24h: int
    failed_24h: int
    waiting: int
    more: bool
    oldest_at: datetime | None
    trouble: str | None


TOTALS = f"""SELECT (SELECT count(*) FROM lines WHERE status <> 'released') AS lines,
  (SELECT count(*) FROM lines WHERE status = 'active') AS active_lines,
  (SELECT count(*) FROM tenant_credentials WHERE health = 'refused') AS refused_credentials,
  (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'conversation_mappings'::regclass) AS conversations,
  (SELECT coalesce(sum(a.n), 0)::bigint FROM lines l CROSS JOIN LATERAL (
     SELECT count(*) AS n FROM ({active_since("now() - interval '24 hours'")}) c) a) AS active,
  (SELECT count(*) FROM daemons WHERE lease_until > now()) AS daemons,
  (SELECT count(*) FROM shards s
   WHERE NOT EXISTS (SELECT 1 FROM daemons d WHERE d.id = s.owner AND d.lease_until > now())) AS unowned_shards,
  now() AS now"""

SUMS = "sum({0}total) AS total, sum({0}sent) AS sent, sum({0}delivered) AS delivered, sum({0}failed) AS failed"
LIVE = f"""SELECT s.hour, d.direction, {SUMS.format("c.")}
FROM generate_series(%(live)s::timestamptz, %(last)s::timestamptz, interval '1 hour') s (hour)
CROSS JOIN lines l CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
CROSS JOIN LATERAL ({COUNTED} AND m.arrived_at >= s.hour AND m.arrived_at < s.hour + interval '1 hour') c
GROUP BY s.hour, d.direction"""

LAST = "date_trunc('hour', now())"
SINCE = f"{LAST} - interval '{LIVE_HOURS - 1} hours'"
TENANTS = f"""SELECT t.id::text, t.name,
  CASE WHEN EXISTS (SELECT FROM tenant_deletions g WHERE g.tenant_id = t.id) THEN 'closed' ELSE t.status END AS status,
  n.lines, n.active, h.total, h.failed, w.waiting, w.oldest_at,
  now() AS now,
  (SELECT string_agg(CASE type WHEN 'whatsapp' THEN 'WhatsApp' ELSE 'Genesys' END, ' and ' ORDER BY type)
   FROM tenant_credentials c WHERE c.tenant_id = t.id AND c.health = 'refused') AS refused
FROM (SELECT * FROM tenants WHERE %(after)s::uuid IS NULL OR id > %(after)s::uuid ORDER BY id LIMIT %(limit)s) t
CROSS JOIN LATERAL (SELECT count(*) AS lines, count(*) FILTER (WHERE l.status = 'active') AS active
                    FROM lines l WHERE l.tenant_id = t.id AND l.status <> 'released') n
CROSS JOIN LATERAL (SELECT coalesce(sum(x.total), 0) AS total, coalesce(sum(x.failed), 0) AS failed FROM (
  SELECT total, failed FROM message_hours
  WHERE tenant_id = t.id AND hour >= {LAST} - interval '{HOURS - 1} hours' AND hour < {SINCE}
  UNION ALL SELECT c.total, c.failed
  FROM lines l CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
  CROSS JOIN LATERAL ({COUNTED} AND m.arrived_at >= {SINCE}) c WHERE l.tenant_id = t.id) x) h
CROSS JOIN LATERAL (
  SELECT count(*) AS waiting, min(u.arrived_at) AS oldest_at
  FROM lines l CROSS JOIN unnest(%(unfinished)s) s CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
  CROSS JOIN LATERAL (SELECT m.arrived_at FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = s
                       AND m.direction = d.direction ORDER BY m.arrived_at LIMIT %(most)s + 1) u
  WHERE l.tenant_id = t.id) w
ORDER BY t.id"""


def overview(pool: Pool) -> Overview:
    """The totals of all tenants."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT status, count(*) FROM tenants GROUP BY status")
        tenants = dict(cursor.fetchall())
        cursor.execute(TOTALS)
        [totals] = cursor.dicts()
        now = totals.pop("now")
        slots = hour_slots(_counts(cursor, now.astimezone(UTC)), now)
    return Overview(tenants, messages=summed(slots), hours=slots, **totals)


def _counts(cursor: Cursor, now: datetime) -> dict[tuple[datetime, str], DeliveryRate]:
    last = hour_of(now)
    live = last - HOUR * (LIVE_HOURS - 1)
    cursor.execute(
        f"""SELECT hour, direction, {SUMS.format("")} FROM message_hours
           WHERE hour >= %s AND hour < %s GROUP BY hour, direction""",
        (last - HOUR * (HOURS - 1), live),
    )
    rows = cursor.dicts()
    cursor.execute(LIVE, {"live": live, "last": last})
    return counts_of([*rows, *cursor.dicts()])


def tenants(pool: Pool, limit: int = 50, after: str | None = None) -> Page[TenantState]:
    """By age; `after` is the `next` of the page before. Raises CursorError."""
    values = {
        "after": decode(after, UUID)[0] if after is not None else None,
        "limit": limit + 1,
        "unfinished": list(LISTED_UNFINISHED),
        "most": WAITING,
    }
    with pool.transaction() as cursor:
        cursor.execute(TENANTS, values)
        rows = [_state(row) for row in cursor.dicts()]
    return page(rows, limit, lambda one: (one.id,))


def _state(row: dict[str, Any]) -> TenantState:
    """Of a row of TENANTS."""
    waiting, lines, active = row["waiting"], row["lines"], row["active"]
    more = waiting > WAITING
    trouble: str | None = None
    if row["refused"]:
        trouble = phrase("%(provider)s refuses the credentials", provider=row["refused"])
    elif waiting and row["now"] - row["oldest_at"] > LONG:
        since = duration((row["now"] - row["oldest_at"]).total_seconds())
        many = phrase("more than %(count)s", count=WAITING) if more else f"{waiting:,}"
        trouble = phrase("%(count)s waiting, the oldest for %(since)s", count=many, since=since)
    elif row["status"] == "active" and active < lines:
        trouble = phrase("%(count)s of %(lines)s lines are not active", count=lines - active, lines=lines)
    return TenantState(
        row["id"], row["name"], row["status"], lines, active, int(row["total"]), int(row["failed"]),
        min(waiting, WAITING), more, row["oldest_at"], trouble,
    )  # fmt: skip
