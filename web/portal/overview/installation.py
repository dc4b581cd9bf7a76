"""The operator's first page: all tenants in figures, those with trouble first, and the daemons that do the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template
from werkzeug.exceptions import NotFound

from db.views import fleet, overview
from db.views.overview import TenantState
from web.portal.frame.blueprint import portal
from web.portal.overview.dashboard import hours_chart
from web.request.context import web_context
from web.request.principal import OPERATOR, needs

TENANTS = 200
SHOWN = 12


@portal.get("/overview", endpoint="overview")
@needs(OPERATOR)
def overview_page() -> str:
    return render_template("portal/overview.html", **_totals(), **_states(), **_daemons())


@portal.get("/overview/<part>")
@needs(OPERATOR)
def overview_part(part: str) -> str:
    """One section of the page above, as it stands now."""
    found = PARTS.get(part)
    if found is None:
        raise NotFound
    return render_template(f"portal/fragments/overview_{part}.html", **found())


def _totals() -> dict[str, Any]:
    found = overview.overview(web_context().pool)
    return {"totals": found, "hours": hours_chart(found.hours)}


def _states() -> dict[str, Any]:
    """Of the oldest TENANTS those in trouble first, then those with most to do; the page of tenants shows the rest."""
    found = overview.tenants(web_context().pool, TENANTS)
    ordered = sorted(found.items, key=_urgency)
    troubled = sum(1 for one in ordered if one.trouble)
    return {"states": ordered[:SHOWN], "troubled": troubled, "more": found.next, "looked_at": TENANTS}


def _urgency(one: TenantState) -> tuple[bool, int, int, str]:
    return one.trouble is None, -one.waiting, -one.messages_24h, one.name.casefold()


def _daemons() -> dict[str, Any]:
    return {"fleet": fleet.fleet(web_context().pool)}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {"totals": _totals, "tenants": _states, "daemons": _daemons}
