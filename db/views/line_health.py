"""The health of a tenant's lines, with the reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from db.pool import Pool
from db.views import waiting
from db.views.waiting import WaitingSide
from relay.core.explain.reasons import Terms, duration
from relay.core.languages import phrase

HealthStatus = Literal["ok", "waiting", "trouble", "stopped"]
LONG_SECONDS = 120.0
"""Whoever waits longer than this has trouble, whatever the reason."""


# What stops a line also while nothing waits.
LINES = """SELECT l.id::text AS line_id, l.phone_number_id, t.status AS tenant_status, l.status AS line_status,
  l.status_reason AS line_reason, now() AS now, (SELECT count(*) FROM daemons WHERE lease_until > now()) AS daemons,
  (SELECT string_agg(CASE type WHEN 'whatsapp' THEN 'WhatsApp' ELSE 'Genesys' END || ' refuses the credentials'
                     || coalesce(' (' || rtrim(health_reason, '.') || ')', ''), '; ' ORDER BY type)
   FROM tenant_credentials c WHERE c.tenant_id = l.tenant_id AND c.health = 'refused') AS refused
FROM lines l JOIN tenants t ON t.id = l.tenant_id
WHERE l.tenant_id = %(tenant)s AND l.status <> 'released' ORDER BY l.id"""


@dataclass(frozen=True, slots=True)
class LineState:
    """A row of LINES. `refused`: by whom the credentials are refused, in words; `daemons` are those alive."""

    line_id: str
    phone_number_id: str
    tenant_status: str
    line_status: str
    line_reason: str | None
    now: datetime
    daemons: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class LineHealth:
    """`queues` are both sides. stopped: nothing goes; trouble: calls fail, or something waits for long."""

    line_id: str
    phone_number_id: str
    status: HealthStatus
    text: str
    queues: list[WaitingSide]

    @property
    def last_inbound_at(self) -> datetime | None:
        return next((one.last_success for one in self.queues if one.direction == "inbound"), None)

    @property
    def last_outbound_at(self) -> datetime | None:
        return next((one.last_success for one in self.queues if one.direction == "outbound"), None)


def of_tenant(pool: Pool, tenant_id: str, terms: Terms) -> list[LineHealth]:
    """Every line of the tenant that is not released."""
    queues = waiting.sides(pool, tenant_id, terms)
    with pool.transaction() as cursor:
        cursor.execute(LINES, {"tenant": UUID(tenant_id)})
        lines = cursor.all(LineState)
    return [_health(line, [one for one in queues if one.line_id == line.line_id]) for line in lines]


def _health(line: LineState, queues: list[WaitingSide]) -> LineHealth:
    status, text = _stopped(line) or _flows(queues, line.now)
    return LineHealth(line.line_id, line.phone_number_id, status, text, queues)


def _stopped(line: LineState) -> tuple[HealthStatus, str] | None:
    if line.tenant_status == "paused":
        return "stopped", phrase("the tenant is paused")
    if line.line_status != "active":
        why = line.line_reason or phrase("its onboarding is not complete")
        return "stopped", phrase("not active: %(why)s", why=why)
    if line.refused:
        return "stopped", phrase("%(refused)s; enter valid ones, everything is kept", refused=line.refused)
    return (
        None
        if line.daemons
        else ("stopped", phrase("no daemon of the relay is running; the operator has to start one"))
    )


def _flows(queues: Sequence[WaitingSide], now: datetime) -> tuple[HealthStatus, str]:
    """By what waits longest."""
    queued = [one for one in queues if one.oldest_at is not None]
    if not queued:
        return "ok", phrase("nothing waits")
    worst = min(queued, key=lambda one: one.oldest_at or now)
    age = now - (worst.oldest_at or now)
    wait = duration(age.total_seconds())
    if worst.more:
        text = phrase("more than %(count)s waiting for %(wait)s", count=worst.count, wait=wait)
    else:
        text = phrase("%(count)s waiting for %(wait)s", count=worst.count, wait=wait)
    if worst.why:
        text = phrase("%(many)s: %(why)s", many=text, why=worst.why.text)
    failing = worst.why is not None and worst.why.kind == "trouble"
    if failing or age > timedelta(seconds=LONG_SECONDS):
        return "trouble", text
    return "waiting", text
