"""The dashboard's figures of one tenant. Read only.

Hours that are over are read from message_hours, the last two are counted on the spot, and so is one of the last
day that no daemon has counted yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from db.contacts.mappings import active_since
from db.cursor import Cursor
from db.pool import Pool
from db.views.hours import COUNTED, LIVE_HOURS
from relay.core.status import LISTED

HOURS = 24
DAYS = 14
NEWEST = 1000
MOST = 100_000
"""So many conversations of a tenant are counted, index entries only; beyond that it is "or more"."""
HOUR = timedelta(hours=1)
DIRECTIONS = ("inbound", "outbound")


class TimeZoneError(ValueError):
    """There is no such time zone."""


@dataclass(frozen=True, slots=True)
class DeliveryRate:
    """What became of messages. `sent`: the other side has taken them; `delivered`: and said that they arrived."""

    total: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0

    def __add__(self, other: DeliveryRate) -> DeliveryRate:
        return DeliveryRate(
            self.total + other.total, self.sent + other.sent, self.delivered + other.delivered,
            self.failed + other.failed,
        )  # fmt: skip

    @property
    def sent_share(self) -> float | None:
        return self.sent / self.total if self.total else None

    @property
    def delivered_share(self) -> float | None:
        return self.delivered / self.total if self.total else None

    @property
    def failed_share(self) -> float | None:
        return self.failed / self.total if self.total else None


NONE = DeliveryRate()


@dataclass(frozen=True, slots=True)
class TimeSlot:
    """An hour or a day."""

    start: datetime
    inbound: DeliveryRate
    outbound: DeliveryRate


@dataclass(frozen=True, slots=True)
class DeliverySpeed:
    """Seconds from arrival, of the newest `count` messages; None: there are none, or nobody tells."""

    count: int = 0
    sent_p50: float | None = None
    sent_p95: float | None = None
    delivered_p50: float | None = None
    delivered_p95: float | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`active`: conversations of the last 24 hours; both counts end at `most`, which means that many or more.

    `rates`: of the messages of those hours, `today` since midnight.
    """

    conversations: int
    active: int
    today: dict[str, DeliveryRate]
    rates: dict[str, DeliveryRate]
    speeds: dict[str, DeliverySpeed]
    hours: list[TimeSlot]
    days: list[TimeSlot]
    most: int


Counts = dict[tuple[datetime, str], DeliveryRate]
"""By the beginning of the hour, and direction."""


def dashboard(pool: Pool, tenant_id: str, tz: str = "UTC") -> Dashboard:
    """All of it, in one snapshot of the clock. Raises TimeZoneError."""
    zone, tenant = _zone(tz), UUID(tenant_id)
    with pool.transaction() as cursor:
        now = _now(cursor)
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        counts = _counted(cursor, tenant, now, midnight - timedelta(days=DAYS - 1))
        hours = hour_slots(counts, now)
        days = _days(counts, midnight, zone)
        edge = _edge(cursor, tenant, midnight)
        conversations, active = _conversations(cursor, tenant)
        speeds = {direction: _speed(cursor, tenant, direction) for direction in DIRECTIONS}
    today = {one: getattr(days[-1], one) + edge.get(one, NONE) for one in DIRECTIONS}
    return Dashboard(conversations, active, today, summed(hours), speeds, hours, days, MOST)


def _zone(tz: str) -> ZoneInfo:
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimeZoneError(f"there is no time zone {tz[:64]!r}; use a name such as Europe/Berlin") from error


def _now(cursor: Cursor) -> datetime:
    cursor.execute("SELECT now()")
    now: datetime = cursor.fetchone()[0]
    return now.astimezone(UTC)


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


SERIES = f"""SELECT s.hour, d.direction, coalesce(h.total, n.total) AS total, coalesce(h.sent, n.sent) AS sent,
  coalesce(h.delivered, n.delivered) AS delivered, coalesce(h.failed, n.failed) AS failed
FROM generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 hour') s (hour)
CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
LEFT JOIN message_hours h ON h.tenant_id = %(tenant)s AND h.hour = s.hour AND h.direction = d.direction
 AND s.hour < %(live)s
LEFT JOIN LATERAL (
  SELECT sum(c.total) AS total, sum(c.sent) AS sent, sum(c.delivered) AS delivered, sum(c.failed) AS failed
  FROM lines l CROSS JOIN LATERAL ({COUNTED} AND m.arrived_at >= s.hour AND m.arrived_at < s.hour + interval '1 hour') c
  WHERE l.tenant_id = %(tenant)s AND h.hour IS NULL) n ON true"""


def _counted(cursor: Cursor, tenant: UUID, now: datetime, since: datetime) -> Counts:
    """The hours since then. What is missing of the last day is counted, what is missing before stays so."""
    last = hour_of(now)
    first = last - HOUR * (HOURS + 1)
    live = last - HOUR * (LIVE_HOURS - 1)
    cursor.execute(
        """SELECT hour, direction, total, sent, delivered, failed FROM message_hours
           WHERE tenant_id = %s AND hour >= %s AND hour < %s""",
        (tenant, since, first),
    )
    rows = cursor.dicts()
    cursor.execute(SERIES, {"tenant": tenant, "first": first, "last": last, "live": live})
    return counts_of([*rows, *cursor.dicts()])


def counts_of(rows: Iterable[dict[str, Any]]) -> Counts:
    """Of rows with hour, direction, and what a DeliveryRate holds, which may be null."""
    return {(row["hour"].astimezone(UTC), row["direction"]): _rate(row) for row in rows}


def _rate(row: dict[str, Any]) -> DeliveryRate:
    return DeliveryRate(*(int(row[one] or 0) for one in ("total", "sent", "delivered", "failed")))


def hour_slots(counts: Counts, now: datetime) -> list[TimeSlot]:
    """The last 24, the current one among them; the oldest first."""
    starts = [hour_of(now) - HOUR * ago for ago in reversed(range(HOURS))]
    return [TimeSlot(at, counts.get((at, "inbound"), NONE), counts.get((at, "outbound"), NONE)) for at in starts]


def _days(counts: Counts, midnight: datetime, zone: ZoneInfo) -> list[TimeSlot]:
    """The last 14 of the zone. An hour belongs to the day in which it begins."""
    starts = [midnight - timedelta(days=ago) for ago in reversed(range(DAYS))]
    days = {start.date(): dict.fromkeys(DIRECTIONS, NONE) for start in starts}
    for (hour, direction), rate in counts.items():
        day = days.get(hour.astimezone(zone).date())
        if day is not None:
            day[direction] += rate
    return [TimeSlot(start, **days[start.date()]) for start in starts]


def summed(slots: Sequence[TimeSlot]) -> dict[str, DeliveryRate]:
    return {one: sum((getattr(slot, one) for slot in slots), NONE) for one in DIRECTIONS}


def _edge(cursor: Cursor, tenant: UUID, midnight: datetime) -> dict[str, DeliveryRate]:
    """Where midnight lies within an hour of UTC (India): what came between it and the next full hour."""
    full = hour_of(midnight)
    if full == midnight:
        return {}
    cursor.execute(
        f"""SELECT d.direction, sum(c.total) AS total, sum(c.sent) AS sent, sum(c.delivered) AS delivered,
                   sum(c.failed) AS failed
            FROM lines l CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
            CROSS JOIN LATERAL ({COUNTED} AND m.arrived_at >= %s AND m.arrived_at < %s) c
            WHERE l.tenant_id = %s GROUP BY d.direction""",
        (midnight, full + HOUR, tenant),
    )
    return {row["direction"]: _rate(row) for row in cursor.dicts()}


def _conversations(cursor: Cursor, tenant: UUID) -> tuple[int, int]:
    cursor.execute(
        f"""SELECT
             (SELECT count(*) FROM (SELECT 1 FROM lines l CROSS JOIN LATERAL (
                SELECT 1 FROM conversation_mappings c WHERE c.line_id = l.id LIMIT %(most)s) c
              WHERE l.tenant_id = %(tenant)s LIMIT %(most)s) total),
             (SELECT count(*) FROM (SELECT 1 FROM lines l CROSS JOIN LATERAL (
                {active_since("now() - interval '24 hours'")} LIMIT %(most)s) c
              WHERE l.tenant_id = %(tenant)s LIMIT %(most)s) active)""",
        {"tenant": tenant, "most": MOST},
    )
    total, active = cursor.fetchone()
    return int(total), int(active)


def _speed(cursor: Cursor, tenant: UUID, direction: str) -> DeliverySpeed:
    cursor.execute(
        """SELECT count(s.sent) AS count, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY s.sent) AS sent,
                  percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY s.delivered) AS delivered
           FROM (SELECT extract(epoch FROM m.sent_at - m.arrived_at)::float AS sent,
                        extract(epoch FROM m.delivered_at - m.arrived_at)::float AS delivered
                 FROM lines l CROSS JOIN unnest(%(listed)s) s CROSS JOIN LATERAL (
                   SELECT arrived_at, seq, sent_at, delivered_at FROM message_tracking
                   WHERE line_id = l.id AND listed_as = s AND direction = %(direction)s
                   ORDER BY arrived_at DESC, seq DESC LIMIT %(newest)s) m
                 WHERE l.tenant_id = %(tenant)s ORDER BY m.arrived_at DESC, m.seq DESC LIMIT %(newest)s) s""",
        {"tenant": tenant, "direction": direction, "newest": NEWEST, "listed": list(LISTED)},
    )
    [row] = cursor.dicts()
    return DeliverySpeed(row["count"], *_pair(row["sent"]), *_pair(row["delivered"]))


def _pair(values: Sequence[float | None] | None) -> tuple[float | None, float | None]:
    """A clock of the provider's that is behind ours makes no time negative."""
    if not values or values[0] is None or values[1] is None:
        return None, None
    return round(max(0.0, values[0]), 3), round(max(0.0, values[1]), 3)
