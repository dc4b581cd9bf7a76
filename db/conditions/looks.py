"""What holds now for a few tenants: read by indexes only, a bounded number of rows for each line."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from db.cursor import Cursor
from relay.core.conditions.checked import of_check, of_limits
from relay.core.conditions.kinds import LONGEST_DETAIL, SeenCondition
from relay.core.explain.reasons import duration
from relay.core.languages import phrase
from relay.core.status import LISTED_UNFINISHED

LOOKED = 20
"""Of a line's newest dead letters."""
LIMIT_DAYS = 30
"""A fallen limit is worth a word for so long."""
DEAD_HOURS = 24

# Who may have a condition at all: lines that carry messages, and those that did until a day ago.
LINES = """SELECT l.tenant_id::text, l.id::text, l.status, coalesce(l.status_reason, '') AS reason,
  l.disputed_at IS NOT NULL AS disputed
FROM lines l WHERE l.tenant_id = ANY(%(tenants)s::uuid[])
  AND (l.disputed_at IS NOT NULL OR (l.status = 'released' AND l.proven_at IS NOT NULL
       AND l.released_at > now() - interval '1 day'))"""

CREDENTIALS = """SELECT tenant_id::text, type, coalesce(health_reason, '') FROM tenant_credentials
WHERE tenant_id = ANY(%(tenants)s::uuid[]) AND health = 'refused'"""

# Disabled for longer than a day before anybody looked is no news; what is open stays open (%(open)s).
TEMPLATES = """SELECT tenant_id::text, name || ' (' || language || ')', status FROM templates
WHERE tenant_id = ANY(%(tenants)s::uuid[]) AND status IN ('PAUSED', 'DISABLED')
  AND (status = 'PAUSED' OR told_at > now() - interval '1 day'
       OR name || ' (' || language || ')' = ANY(%(open_templates)s))"""

CHECKS = """SELECT l.tenant_id::text, l.id::text, r.findings,
  ARRAY(SELECT f ->> 'limit' FROM check_runs p, jsonb_array_elements(p.findings) f
        WHERE p.line_id = l.id AND p.at > now() - make_interval(days => %(limit_days)s) AND f ->> 'limit' <> ''
        ORDER BY p.id DESC) AS limits
FROM lines l CROSS JOIN LATERAL (
  SELECT findings FROM check_runs c WHERE c.line_id = l.id ORDER BY c.id DESC LIMIT 1) r
WHERE l.tenant_id = ANY(%(tenants)s::uuid[]) AND l.status = 'active'"""

BACKLOG = """SELECT l.tenant_id::text, l.id::text, w.direction, extract(epoch FROM now() - w.oldest)::float
FROM lines l JOIN tenants t ON t.id = l.tenant_id CROSS JOIN LATERAL (
  SELECT o.direction, min(o.arrived_at) AS oldest FROM unnest(%(unfinished)s) s
  CROSS JOIN unnest(ARRAY['inbound', 'outbound']) d CROSS JOIN LATERAL (
    SELECT m.direction, m.arrived_at FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = s
      AND m.direction = d AND m.arrived_at < now() - make_interval(mins => %(minutes)s)
    ORDER BY m.arrived_at, m.seq LIMIT 1) o GROUP BY o.direction) w
WHERE l.tenant_id = ANY(%(tenants)s::uuid[]) AND l.status = 'active' AND t.status <> 'paused'"""

DEAD = """SELECT l.tenant_id::text, l.id::text, w.count, w.reason
FROM lines l CROSS JOIN LATERAL (
  SELECT count(*) AS count, max(o.reason) AS reason FROM unnest(ARRAY['inbound', 'outbound']) d CROSS JOIN LATERAL (
    SELECT m.failed_at, m.reason_code AS reason FROM message_tracking m
    WHERE m.line_id = l.id AND m.listed_as = 'dead' AND m.direction = d
    ORDER BY m.arrived_at DESC, m.seq DESC LIMIT %(looked)s) o
  WHERE o.failed_at > now() - make_interval(hours => %(dead_hours)s)) w
WHERE l.tenant_id = ANY(%(tenants)s::uuid[]) AND l.status = 'active' AND w.count > 0"""

VISITS = """SELECT id::text, visit_by, visit_reason FROM tenants
WHERE id = ANY(%(tenants)s::uuid[]) AND visit_forced AND visit_until > now()"""

WAITED = {
    "inbound": phrase("the oldest message to Genesys has waited for %(since)s"),
    "outbound": phrase("the oldest message to WhatsApp has waited for %(since)s"),
}

Found = tuple[str, SeenCondition]


def seen(
    cursor: Cursor, tenants: Sequence[str], minutes: int, open_templates: Sequence[str]
) -> dict[str, list[SeenCondition]]:
    """By tenant. `minutes`: how old a backlog is that is worth a word."""
    values = {
        "tenants": list(tenants), "minutes": minutes, "open_templates": list(open_templates), "looked": LOOKED,
        "limit_days": LIMIT_DAYS, "dead_hours": DEAD_HOURS, "unfinished": list(LISTED_UNFINISHED),
    }  # fmt: skip
    found: dict[str, dict[Any, SeenCondition]] = {}
    for look in (_lines, _credentials, _templates, _checks, _backlog, _dead, _visits):
        for tenant_id, one in look(cursor, values):
            found.setdefault(tenant_id, {}).setdefault(one.key, one)
    return {tenant_id: list(held.values()) for tenant_id, held in found.items()}


def _lines(cursor: Cursor, values: dict[str, Any]) -> Iterator[Found]:
    cursor.execute(LINES, values)
    for tenant_id, line_id, status, reason, disputed in cursor.fetchall():
        if disputed:
            yield tenant_id, SeenCondition("line_disputed", line_id, "")
        if status == "released":
            yield tenant_id, SeenCondition("line_released", line_id, "", reason[:LONGEST_DETAIL])


def _credentials(cursor: Cursor, values: dict[str, Any]) -> Iterator[Found]:
    cursor.execute(CREDENTIALS, values)
    for tenant_id, side, reason in cursor.fetchall():
        yield tenant_id, SeenCondition("credentials_refused", None, side, reason.rstrip(".")[:LONGEST_DETAIL])


def _templates(cursor: Cursor, values: dict[str, Any]) -> Iterator[Found]:
    cursor.execute(TEMPLATES, values)
    for tenant_id, name, status in cursor.fetchall():
        yield tenant_id, SeenCondition("template_paused", None, name, status.lower())


def _checks(cursor: Cursor, values: dict[str, Any]) -> Iterator[Found]:
    cursor.execute(CHECKS, values)
    now = time.time()
    for tenant_id, line_id, findings, limits in cursor.fetchall():
        for one in (*of_check(line_id, findings, now), *of_limits(line_id, limits)):
            yield tenant_id, one


def _backlog(cursor: Cursor, values: dict[str, Any]) -> Iterator[Found]:
    cursor.execute(BACKLOG, values)
    for tenant_id, line_id, direction, seconds in cursor.fetchall():
        detail = phrase(WAITED[direction], since=duration(seconds))
        yield tenant_id, SeenCondition("backlog", line_id, direction, detail)


def _dead(cursor: Cursor, values: dict[str, Any]) -> Iterator[Found]:
    cursor.execute(DEAD, values)
    for tenant_id, line_id, count, reason in cursor.fetchall():
        many = phrase("%(count)s in the last %(hours)s hours", count=count, hours=DEAD_HOURS)
        if count >= LOOKED:
            many = phrase("more than %(count)s in the last %(hours)s hours", count=count, hours=DEAD_HOURS)
        yield tenant_id, SeenCondition("dead_letters", line_id, "", f"{many}, {reason}" if reason else many)


def _visits(cursor: Cursor, values: dict[str, Any]) -> Iterator[Found]:
    cursor.execute(VISITS, values)
    for tenant_id, who, reason in cursor.fetchall():
        yield tenant_id, SeenCondition("visit_forced", None, "", f"{who}: {reason.rstrip('.')}"[:LONGEST_DETAIL])


def now_of(cursor: Cursor) -> datetime:
    """PostgreSQL's time, by which beginnings and ends are told."""
    cursor.execute("SELECT now()")
    found: datetime = cursor.fetchone()[0]
    return found
