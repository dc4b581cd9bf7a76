"""The tenant's dashboard: how much, how fast, how well, and what waits for what. Its parts keep themselves fresh."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import render_template
from werkzeug.exceptions import NotFound

from db.tenants import visits
from db.tenants.visits import VisitStanding
from db.views import audit_search, figures, line_health, search
from db.views.audit_search import AuditEntry
from db.views.search import ConversationSearch
from web.portal.frame import formats, time_zone
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.overview.charts import Chart, chart
from web.request import data_access
from web.request.context import web_context
from web.request.principal import needs, principal

RECENT = 8
VISITS_SHOWN = 7
"""Days."""


@portal.get("/tenants/<uuid:tenant_id>/dashboard")
@needs("messages:read", per_line=True)
def dashboard(tenant_id: UUID) -> str:
    return render_template("portal/dashboard.html", **_figures(), **_lines(), **_recent(), visit=_visit(), door=_door())


@portal.get("/tenants/<uuid:tenant_id>/dashboard/<part>")
@needs("messages:read", per_line=True)
def dashboard_part(tenant_id: UUID, part: str) -> str:
    """One section of the page above, as it stands now."""
    found = PARTS.get(part)
    if found is None:
        raise NotFound
    return render_template(f"portal/fragments/{part}.html", **found())


def _visit() -> AuditEntry | None:
    """What the operator did here lately: for those of the tenant's people who answer for its data."""
    own = principal().tenant_id is not None and principal().may("audit:read")
    return audit_search.operators_last(tenant_pool(), tenant().id, VISITS_SHOWN) if own else None


def _door() -> VisitStanding | None:
    """The operator may look in now, because it was allowed to, or let itself in."""
    own = principal().tenant_id is not None and principal().may("audit:read")
    standing = visits.standing(tenant_pool(), tenant().id) if own else None
    return standing if standing is not None and standing.by_consent and standing.open else None


def _figures() -> dict[str, Any]:
    """Hours that are over are counted for the tenant as a whole: not for whoever is for some lines only."""
    if principal().line_ids is not None:
        return {"figures": None}
    found = figures.dashboard(tenant_pool(), tenant().id, time_zone.name())
    return {"figures": found, "hours": hours_chart(found.hours), "days": _days_chart(found.days)}


def hours_chart(slots: list[figures.TimeSlot]) -> Chart:
    return chart(slots, _clock, _clock, 6, "hour")


def _days_chart(slots: list[figures.TimeSlot]) -> Chart:
    return chart(slots, _day, _short_day, 2, "day")


def _clock(at: datetime) -> str:
    return time_zone.local(at).strftime("%H:%M")


def _day(at: datetime) -> str:
    return formats.day(time_zone.local(at))


def _short_day(at: datetime) -> str:
    return formats.short_day(time_zone.local(at))


def _lines() -> dict[str, Any]:
    found = line_health.of_tenant(tenant_pool(), tenant().id, web_context().terms)
    return {"health": found, "queues": [queue for one in found for queue in one.queues if queue.count]}


def _recent() -> dict[str, Any]:
    data_access.record_once(tenant().id, ("conversations", tenant().id), "conversations.listed")
    found = search.listed(tenant_pool(), ConversationSearch(tenant().id), RECENT)
    return {"recent": found.items}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {"figures": _figures, "lines": _lines, "recent": _recent}
