"""What is waiting, and why: of one message, and of every line and side of a tenant. Read only.

Breakers and turns live in the daemons' memory, so some of it is concluded from what they have written down:
the reasons in the rows, the last success, the credentials' health, the leases.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.cursor import Cursor, taken
from db.pool import Pool
from relay.core.explain.reasons import COUNTED, SideState, Terms, Unfinished, WaitReason, limited, own, said, stopped
from relay.core.languages import phrase
from relay.core.limits import PAIR_BURST, PAIR_SECONDS
from relay.core.messages import ChannelName, Direction
from relay.core.queues import TARGET
from relay.core.status import LISTED_UNFINISHED, UNFINISHED

FLOWING = timedelta(minutes=2)
"""A side over which something went through so lately is not broken."""

SIDE = """now() AS now, {direction} AS direction, t.id::text AS tenant_id, t.status AS tenant_status,
 l.status AS line_status, l.status_reason AS line_reason, l.settings, l.phone_number_id,
 cr.shown ->> 'client_id' AS client_id, cr.health, cr.health_reason,
 (SELECT count(*) FROM daemons WHERE lease_until > now()) AS daemons"""
CREDENTIALS = """LEFT JOIN tenant_credentials cr ON cr.tenant_id = l.tenant_id
 AND cr.type = CASE {direction} WHEN 'inbound' THEN 'genesys' ELSE 'whatsapp' END"""

# The head of its lane is the first of those once claimed, or the first by the sort key.
MESSAGE = f"""SELECT {SIDE.format(direction="m.direction")}, m.id::text, m.state, m.attempts,
  m.reason_code AS code, m.reason, m.arrived_at, m.next_attempt_at, m.unknown_until,
  CASE WHEN m.report IS DISTINCT FROM m.reported THEN m.report END AS report,
  coalesce(m.content -> 'media' <> 'null', false) AND m.content -> 'media' ->> 'object_key' IS NULL AS fetching,
  EXISTS (SELECT 1 FROM shards s JOIN daemons d ON d.id = s.owner WHERE s.n = m.shard AND d.lease_until > now())
   AS owned,
  (SELECT h.id::text FROM (SELECT e.id, e.claimed_at, e.sort_time, e.arrived_at, e.idx, e.seq FROM message_tracking e
                     WHERE e.conversation_id = m.conversation_id AND e.direction = m.direction
                      AND e.unfinished AND e.state IN ('received', 'sending', 'unknown')
                     ORDER BY e.sort_time, e.arrived_at, e.idx, e.seq LIMIT 100) h
   ORDER BY h.claimed_at IS NULL, h.sort_time, h.arrived_at, h.idx, h.seq LIMIT 1) AS head,
  (SELECT count(*) FROM message_tracking p WHERE p.conversation_id = m.conversation_id AND p.direction = 'outbound'
    AND p.sort_time > now() - interval '1 day' AND p.sent_at > now() - make_interval(secs => %(pair)s))
   AS lately,
  (SELECT count(*) FROM (SELECT 1 FROM message_tracking a WHERE a.line_id = m.line_id AND a.listed_as = 'received'
    AND a.direction = m.direction AND a.arrived_at <= m.arrived_at LIMIT %(most)s) a) AS ahead
FROM message_tracking m JOIN lines l ON l.id = m.line_id JOIN tenants t ON t.id = m.tenant_id
{CREDENTIALS.format(direction="m.direction")}
WHERE m.id = %(id)s AND (%(tenant)s::uuid IS NULL OR m.tenant_id = %(tenant)s)"""

# Per line and direction: how many are unfinished, the oldest of them, the newest trouble among the oldest, and when
# a message last went through.
LINES = f"""SELECT {SIDE.format(direction="d.direction")}, l.id::text AS line_id, w.waiting AS count,
  w.oldest_at, w.oldest, tr.code, tr.reason, tr.claimed_at AS tried_at, ok.sent_at AS last_success
FROM lines l JOIN tenants t ON t.id = l.tenant_id CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction)
{CREDENTIALS.format(direction="d.direction")}
CROSS JOIN LATERAL (
  SELECT count(*) AS waiting, min(u.arrived_at) AS oldest_at,
         (array_agg(u.id ORDER BY u.arrived_at))[1]::text AS oldest
  FROM unnest(%(unfinished)s) s CROSS JOIN LATERAL (
    SELECT m.id, m.arrived_at FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = s
     AND m.direction = d.direction ORDER BY m.arrived_at, m.seq LIMIT %(most)s + 1) u) w
LEFT JOIN LATERAL (
  SELECT f.code, f.reason, f.claimed_at FROM unnest(%(unfinished)s) s CROSS JOIN LATERAL (
    SELECT m.reason_code AS code, m.reason, m.claimed_at FROM message_tracking m WHERE m.line_id = l.id
     AND m.listed_as = s AND m.direction = d.direction ORDER BY m.arrived_at, m.seq LIMIT 200) f
  WHERE f.code IS NOT NULL ORDER BY f.claimed_at DESC NULLS LAST LIMIT 1) tr ON true
LEFT JOIN LATERAL (
  SELECT max(g.sent_at) AS sent_at FROM unnest(ARRAY['sent', 'delivered', 'read']) s CROSS JOIN LATERAL (
    SELECT m.sent_at FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = s AND m.direction = d.direction
    ORDER BY m.arrived_at DESC, m.seq DESC LIMIT 20) g) ok ON true
WHERE l.tenant_id = %(tenant)s ORDER BY l.id, d.direction"""


@dataclass(frozen=True, slots=True)
class WaitingSide:
    """One side of a line. `more`: there are more than `count`. `last_success`: when a message last went through."""

    line_id: str
    phone_number_id: str
    side: ChannelName
    direction: Direction
    count: int
    more: bool
    oldest_at: datetime | None
    why: WaitReason | None
    last_success: datetime | None


@dataclass(frozen=True, slots=True)
class SideBacklog:
    """What is known about one side of a line: a row of LINES. `code` to `tried_at`: the newest trouble."""

    side: SideState
    line_id: str
    count: int
    oldest_at: datetime | None
    oldest: str | None
    code: str | None
    reason: str | None
    tried_at: datetime | None
    last_success: datetime | None


def of_message(pool: Pool, tenant_id: str | None, message_id: str, terms: Terms) -> WaitReason | None:
    """Why it is not finished; None where it is, or where there is no such message."""
    # Decided outside of the transaction: `terms` may ask Redis.
    with pool.transaction() as cursor:
        found = _message(cursor, tenant_id, message_id)
        first = _message(cursor, tenant_id, str(found[1].head)) if found and _behind(found[1]) else None
    if found is None:
        return None
    side, message = found
    if message.state not in UNFINISHED:
        told = phrase("the agent's side is still to be told: %(report)s", report=message.report)
        return WaitReason("report", told) if message.report else None
    if not _behind(message):
        return stopped(side) or own(side, message, terms)
    why = stopped(side) or (own(first[0], first[1], terms) if first else None)
    text = phrase("an earlier message of the conversation has to go first")
    if why is None:
        return WaitReason("earlier", text, None, message.head)
    text = phrase("%(first)s: %(why)s", first=text, why=why.text)
    return WaitReason("earlier", text, why.until, message.head, why.estimate)


def _behind(message: Unfinished) -> bool:
    """Another one of its conversation has to go first."""
    return message.state in UNFINISHED and message.state != "sending" and message.head not in (None, message.id)


def _message(cursor: Cursor, tenant_id: str | None, message_id: str) -> tuple[SideState, Unfinished] | None:
    cursor.execute(
        MESSAGE,
        {"id": UUID(message_id), "tenant": tenant_id, "pair": PAIR_BURST * PAIR_SECONDS, "most": COUNTED},
    )
    rows = cursor.dicts()
    if not rows:
        return None
    return taken(SideState, rows[0]), Unfinished(**rows[0])


def of_tenant(pool: Pool, tenant_id: str, terms: Terms) -> list[WaitingSide]:
    """The sides of the tenant's lines on which something waits."""
    return [queue for queue in sides(pool, tenant_id, terms) if queue.count]


def sides(pool: Pool, tenant_id: str, terms: Terms) -> list[WaitingSide]:
    """Both sides of every line, whether something waits there or not."""
    with pool.transaction() as cursor:
        cursor.execute(LINES, {"tenant": UUID(tenant_id), "unfinished": list(LISTED_UNFINISHED), "most": COUNTED})
        lines = [SideBacklog(taken(SideState, row), **row) for row in cursor.dicts()]
    waiting: dict[str, int] = {}
    for line in lines:
        key = line.side.rate(terms.rates).key
        waiting[key] = waiting.get(key, 0) + line.count
    return [_queue(pool, tenant_id, line, waiting[line.side.rate(terms.rates).key], terms) for line in lines]


def _queue(pool: Pool, tenant_id: str, line: SideBacklog, sharing: int, terms: Terms) -> WaitingSide:
    why = _why(pool, tenant_id, line, sharing, terms) if line.count else None
    return WaitingSide(
        line.line_id, line.side.phone_number_id, TARGET[line.side.direction], line.side.direction,
        min(line.count, COUNTED), line.count > COUNTED, line.oldest_at, why, line.last_success,
    )  # fmt: skip


def _why(pool: Pool, tenant_id: str, line: SideBacklog, sharing: int, terms: Terms) -> WaitReason:
    """What holds up all of it; else what holds up the oldest."""
    flowing = line.last_success is not None and line.side.now - line.last_success < FLOWING
    found = stopped(line.side) or trouble(line) or limited(line.side, sharing, terms, flowing=flowing)
    if found is None and line.oldest is not None:
        found = of_message(pool, tenant_id, line.oldest, terms)
    return found or WaitReason("soon", "on its way")


def trouble(line: SideBacklog) -> WaitReason | None:
    """The newest call that failed came after the newest that did not."""
    if line.code is None or line.tried_at is None:
        return None
    if line.last_success is not None and line.last_success > line.tried_at:
        return None
    why = said(line.code, line.reason)
    return WaitReason("trouble", f"the last call to {line.side.target} failed ({why}); the relay keeps trying")
