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
from web.portal.frame.language import _l
from web.request.context import web_context
from web.request.principal import ANYONE, OPERATOR, Principal, needs, per_line, principal

STATES = {
    "received": (_l("Waiting"), "secondary"),
    "sending": (_l("Sending"), "info"),
    "unknown": (_l("Being clarified"), "warning"),
    "sent": (_l("Sent"), "primary"),
    "delivered": (_l("Delivered"), "success"),
    "read": (_l("Read"), "success"),
    "failed": (_l("Failed"), "danger"),
    "dead": (_l("Given up"), "danger"),
    "ignored": (_l("Not relayed"), "secondary"),
    "record": (_l("Record"), "secondary"),
    "active": (_l("Active"), "success"),
    "onboarding": (_l("Being set up"), "warning"),
    "paused": (_l("Paused"), "warning"),
    "closed": (_l("Closed"), "secondary"),
    "pending": (_l("Not live yet"), "warning"),
    "refused": (_l("Refused"), "danger"),
    "released": (_l("Released"), "secondary"),
    "ok": (_l("Works"), "success"),
    "disabled": (_l("Disabled"), "secondary"),
    "warning": (_l("Warning"), "warning"),
    "waiting": (_l("Waiting"), "info"),
    "trouble": (_l("In trouble"), "danger"),
    "stopped": (_l("Stopped"), "warning"),
    "revoked": (_l("Revoked"), "secondary"),
    "expired": (_l("Expired"), "secondary"),
    "ended": (_l("Ended with its maker"), "secondary"),
    "locked": (_l("Locked"), "warning"),
    "running": (_l("Running"), "info"),
    "done": (_l("Done"), "success"),
    "cancelled": (_l("Cancelled"), "secondary"),
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
    NavigationLink("portal.dashboard", _l("Dashboard"), "speedometer2", "messages:read"),
    NavigationLink("portal.conversations", _l("Conversations"), "chat-dots", "messages:read"),
    NavigationLink("portal.messages", _l("Messages"), "list-ul", "messages:read"),
    NavigationLink("portal.dead_letters", _l("Dead letters"), "envelope-exclamation", "messages:read"),
    NavigationLink("portal.conditions", _l("What is wrong"), "exclamation-triangle", "tenants:read"),
    NavigationLink("portal.notices", _l("Notices"), "bell", "messages:read"),
    NavigationLink("portal.prices", _l("Prices"), "receipt", "messages:read"),
    NavigationLink("portal.lines", _l("Lines"), "telephone", "tenants:read"),
    NavigationLink("portal.checks", _l("Checks"), "clipboard-check", "tenants:write"),
    NavigationLink("portal.setup", _l("Set-up"), "magic", "tenants:write"),
    NavigationLink("portal.users", _l("Users"), "people", "access:read"),
    NavigationLink("portal.openid", _l("Log-in"), "box-arrow-in-right", "access:read"),
    NavigationLink("portal.keys", _l("API keys"), "key", "access:read"),
    NavigationLink("portal.endpoints", _l("Endpoints"), "broadcast", "tenants:read"),
    NavigationLink("portal.audit", _l("Audit log"), "journal-text", "audit:read"),
    NavigationLink("portal.visits", _l("Operator’s visits"), "eye", "audit:read"),
    NavigationLink("portal.retention", _l("Retention"), "hourglass-split", "tenants:read"),
    NavigationLink("portal.erasure_list", _l("Erasures"), "person-x", "contacts:erase"),
)
OPERATOR_PAGES = (
    NavigationLink("portal.overview", _l("Overview"), "grid", OPERATOR),
    NavigationLink("portal.tenants", _l("Tenants"), "buildings", OPERATOR),
    NavigationLink("portal.departures", _l("Departures"), "door-closed", OPERATOR),
    NavigationLink("portal.all_conditions", _l("What is wrong"), "exclamation-triangle", OPERATOR),
    NavigationLink("portal.all_prices", _l("Prices"), "receipt", OPERATOR),
    NavigationLink("portal.unknown_numbers", _l("Unknown numbers"), "question-circle", OPERATOR),
    NavigationLink("portal.broker_letters", _l("Not taken in"), "inbox", OPERATOR),
    NavigationLink("portal.operators", _l("Operators"), "person-gear", OPERATOR),
    NavigationLink("portal.operator_keys", _l("API keys"), "key", OPERATOR),
    NavigationLink("portal.operator_audit", _l("Audit log"), "journal-text", OPERATOR),
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
    news = [] if fragment else user_news.waiting(web_context().pool, current_user.user.id, current_user.session.id)
    parts = [(None, None, _open(OPERATOR_PAGES, asking))]
    if tenant is not None:
        parts.insert(0, (tenant.name, tenant.id, _open(TENANT_PAGES, asking)))
    return {"navigation": [part for part in parts if part[2]], "tenant": tenant, "may": asking.may, "news": news}


def _open(items: tuple[NavigationLink, ...], asking: Principal) -> list[NavigationLink]:
    return [
        one
        for one in items
        if asking.may(one.right)
        and one.endpoint in current_app.view_functions
        and (asking.line_ids is None or per_line(one.endpoint))
    ]


def state_word(state: str) -> str:
    return str(STATES.get(state, (state.replace("_", " ").capitalize(), "secondary"))[0])


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
