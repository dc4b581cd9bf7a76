"""The frame around every page: what the navigation offers, and how times and states are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, current_app, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from db.access import user_news
from web.portal.frame.blueprint import portal
from web.portal.frame.formats import number
from web.request.context import pool
from web.request.principal import ANYONE, OPERATOR, Principal, needs, principal

STATES = {
    "received": ("Waiting", "secondary"),
    "sending": ("Sending", "info"),
    "unknown": ("Being clarified", "warning"),
    "sent": ("Sent", "primary"),
    "delivered": ("Delivered", "success"),
    "read": ("Read", "success"),
    "failed": ("Failed", "danger"),
    "dead": ("Given up", "danger"),
    "ignored": ("Not relayed", "secondary"),
    "record": ("Record", "secondary"),
    "active": ("Active", "success"),
    "onboarding": ("Being set up", "warning"),
    "paused": ("Paused", "warning"),
    "pending": ("Not live yet", "warning"),
    "refused": ("Refused", "danger"),
    "released": ("Released", "secondary"),
    "ok": ("Works", "success"),
    "disabled": ("Disabled", "secondary"),
    "warning": ("Warning", "warning"),
    "waiting": ("Waiting", "info"),
    "trouble": ("In trouble", "danger"),
    "stopped": ("Stopped", "warning"),
    "revoked": ("Revoked", "secondary"),
    "expired": ("Expired", "secondary"),
    "ended": ("Ended with its maker", "secondary"),
    "locked": ("Locked", "warning"),
    "running": ("Running", "info"),
    "done": ("Done", "success"),
    "cancelled": ("Cancelled", "secondary"),
}
"""Word and Bootstrap colour of every state that a page may show."""

UNITS = ((10, 1, "s", 2), (90, 1, "s", 0), (5400, 60, "min", 0), (172_800, 3600, "h", 0))
"""Up to how many seconds, divided by what, is which unit with how many digits."""


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """One entry of the navigation; shown to whoever has the right."""

    endpoint: str
    title: str
    icon: str
    right: str


TENANT_PAGES = (
    NavigationLink("portal.dashboard", "Dashboard", "speedometer2", "messages:read"),
    NavigationLink("portal.conversations", "Conversations", "chat-dots", "messages:read"),
    NavigationLink("portal.messages", "Messages", "list-ul", "messages:read"),
    NavigationLink("portal.dead_letters", "Dead letters", "envelope-exclamation", "messages:read"),
    NavigationLink("portal.conditions", "What is wrong", "exclamation-triangle", "tenants:read"),
    NavigationLink("portal.notices", "Notices", "bell", "messages:read"),
    NavigationLink("portal.prices", "Prices", "receipt", "messages:read"),
    NavigationLink("portal.lines", "Lines", "telephone", "tenants:read"),
    NavigationLink("portal.checks", "Checks", "clipboard-check", "tenants:write"),
    NavigationLink("portal.setup", "Set-up", "magic", "tenants:write"),
    NavigationLink("portal.users", "Users", "people", "access:read"),
    NavigationLink("portal.openid", "Log-in", "box-arrow-in-right", "access:read"),
    NavigationLink("portal.keys", "API keys", "key", "access:read"),
    NavigationLink("portal.endpoints", "Endpoints", "broadcast", "tenants:read"),
    NavigationLink("portal.audit", "Audit log", "journal-text", "audit:read"),
    NavigationLink("portal.retention", "Retention", "hourglass-split", "tenants:read"),
    NavigationLink("portal.erasure_list", "Erasures", "person-x", "contacts:erase"),
)
OPERATOR_PAGES = (
    NavigationLink("portal.overview", "Overview", "grid", OPERATOR),
    NavigationLink("portal.tenants", "Tenants", "buildings", OPERATOR),
    NavigationLink("portal.departures", "Departures", "door-closed", OPERATOR),
    NavigationLink("portal.all_conditions", "What is wrong", "exclamation-triangle", OPERATOR),
    NavigationLink("portal.all_prices", "Prices", "receipt", OPERATOR),
    NavigationLink("portal.unknown_numbers", "Unknown numbers", "question-circle", OPERATOR),
    NavigationLink("portal.broker_letters", "Not taken in", "inbox", OPERATOR),
    NavigationLink("portal.operators", "Operators", "person-gear", OPERATOR),
    NavigationLink("portal.operator_keys", "API keys", "key", OPERATOR),
    NavigationLink("portal.operator_audit", "Audit log", "journal-text", OPERATOR),
)


def install(blueprint: Blueprint) -> None:
    blueprint.context_processor(_frame)
    blueprint.add_app_template_filter(state_word, "state_word")
    blueprint.add_app_template_filter(state_tone, "state_tone")
    blueprint.add_app_template_filter(moment, "moment")
    blueprint.add_app_template_filter(duration, "duration")


@portal.get("/", strict_slashes=False)
@needs(ANYONE)
def home() -> Response:
    own = principal().tenant_id
    return redirect(url_for("portal.overview") if own is None else url_for("portal.dashboard", tenant_id=own))


def _frame() -> dict[str, Any]:
    """What the layout needs of a page of somebody who is logged in."""
    if not current_user.is_authenticated or "principal" not in g:
        return {"navigation": [], "tenant": None, "may": lambda _: False, "news": []}
    asking = principal()
    tenant = g.get("tenant")
    # A part of a page that keeps itself fresh has no place for them.
    fragment = request.headers.get("X-Fragment") == "1"
    news = [] if fragment else user_news.waiting(pool(), current_user.user.id, current_user.session.id)
    parts = [(None, None, _open(OPERATOR_PAGES, asking))]
    if tenant is not None:
        parts.insert(0, (tenant.name, tenant.id, _open(TENANT_PAGES, asking)))
    return {"navigation": [part for part in parts if part[2]], "tenant": tenant, "may": asking.may, "news": news}


def _open(items: tuple[NavigationLink, ...], asking: Principal) -> list[NavigationLink]:
    return [one for one in items if asking.may(one.right) and one.endpoint in current_app.view_functions]


def state_word(state: str) -> str:
    return STATES.get(state, (state.replace("_", " ").capitalize(), "secondary"))[0]


def state_tone(state: str) -> str:
    return STATES.get(state, ("", "secondary"))[1]


def moment(at: datetime | None) -> str:
    """For the `datetime` of a <time>; a script shows it in the reader's own zone."""
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds")


def duration(seconds: float | None) -> str:
    """Short, in the largest unit that says enough: 0.34 s, 12 s, 4 min, 2 h, 3 d."""
    if seconds is None:
        return "–"
    for limit, divisor, unit, digits in UNITS:
        if seconds < limit:
            return f"{number(seconds / divisor, digits)} {unit}"
    return f"{number(seconds / 86400)} d"
