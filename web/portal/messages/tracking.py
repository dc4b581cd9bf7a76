"""Messages as a list with filters, and the page that answers what happened to one of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from db.contacts import named as contact_rows
from db.paging import CursorError, Page
from db.views import history, waiting
from db.views.history import Detail, MessageSelection
from relay.core.explain.steps import Tracked
from relay.core.status import UNFINISHED
from web.actions import prices
from web.portal.frame import filters, time_zone
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.frame.language import _l, offered
from web.portal.lines.line_names import line_choices, line_names
from web.portal.messages import contacts
from web.request import data_access
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import needs

STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "trouble": (_l("In trouble"), ("failed", "dead", "unknown")),
    "waiting": (_l("Not finished"), UNFINISHED),
    "sent": (_l("Sent"), ("sent",)),
    "delivered": (_l("Delivered"), ("delivered",)),
    "read": (_l("Read"), ("read",)),
    "failed": (_l("Failed"), ("failed",)),
    "dead": (_l("Given up"), ("dead",)),
    "unknown": (_l("Being clarified"), ("unknown",)),
    "ignored": (_l("Not relayed"), ("ignored",)),
    "record": (_l("Record"), ("record",)),
}
DIRECTIONS = {"": _l("Both ways"), "inbound": _l("From customers"), "outbound": _l("From agents")}
SETTLED = ("read", "failed", "dead", "ignored", "record")


class MessageFilter(FilterForm):
    q = filters.text(_l("Search"), _l("Number or any id"))
    state = SelectField(
        _l("State"), choices=offered({"": _l("Any state"), **{k: v[0] for k, v in STATES.items()}}), default=""
    )
    direction = SelectField(_l("Direction"), choices=offered(DIRECTIONS), default="")
    line = SelectField(_l("Line"), default="")
    since = DateField(_l("From"), validators=[Optional()])
    until = DateField(_l("To"), validators=[Optional()])


@portal.get("/tenants/<uuid:tenant_id>/messages")
@needs("messages:read", per_line=True)
def messages(tenant_id: UUID) -> str:
    data_access.record_once(tenant().id, ("messages", tenant().id), "messages.listed")
    lines = line_names()
    form = MessageFilter()
    form.line.choices = line_choices()
    found = _listed(form) if form.validate() else Page([])
    older = url_for("portal.messages", tenant_id=tenant_id, before=found.next, **form.chosen) if found.next else None
    return render_template(
        "portal/messages.html",
        form=form, found=found.items, lines=lines, people=contacts.of(found.items), older=older,
    )  # fmt: skip


def _listed(form: MessageFilter) -> Page[Tracked]:
    """What is typed is the beginning of a number, or else an id; digits alone may be either."""
    if not form.q.data:
        return _page(form)
    number = history.digits(form.q.data) is not None
    return (number and _page(form, q=form.q.data)) or _page(form, reference=form.q.data)


def _page(form: MessageFilter, **named: str) -> Page[Tracked]:
    wanted = MessageSelection(
        tenant().id,
        line_id=form.line.data or None,
        direction=form.direction.data or None,
        states=STATES[form.state.data][1] if form.state.data else (),
        since=time_zone.begin(form.since.data) if form.since.data else None,
        until=time_zone.end(form.until.data) if form.until.data else None,
        before=filters.before(),
        **named,
    )
    try:
        return history.listed(tenant_pool(), wanted)
    except CursorError as error:
        raise filters.beyond() from error


@portal.get("/tenants/<uuid:tenant_id>/messages/<uuid:message_id>")
@needs("messages:read", per_line=True)
def message(tenant_id: UUID, message_id: UUID) -> str:
    found = _one(message_id)
    _noted(found)
    return _shown(found)


@portal.get("/tenants/<uuid:tenant_id>/messages/<uuid:message_id>/progress")
@needs("messages:read", per_line=True)
def message_progress(tenant_id: UUID, message_id: UUID) -> str:
    """The part of the page that changes while the message is on its way."""
    found = _one(message_id)
    _noted(found)
    return render_template("portal/fragments/message.html", **_progress(found))


@portal.post("/tenants/<uuid:tenant_id>/messages/<uuid:message_id>/payload")
@needs("payloads:read", per_line=True)
def payload(tenant_id: UUID, message_id: UUID) -> str:
    """The page with what the provider sent. Asked for one by one, each time a line in the audit log."""
    found = _one(message_id)
    raw = history.payload(tenant_pool(), tenant().id, str(message_id))
    data_access.record(tenant().id, "payload.viewed", str(message_id), conversation_id=found.message.conversation_id)
    return _shown(found, raw=raw, asked=True)


def _one(message_id: UUID) -> Detail:
    found = history.get(tenant_pool(), tenant().id, str(message_id))
    if found is None:
        raise ApiError(404, "not_found", "There is no such message.")
    return found


def _noted(found: Detail) -> None:
    one, conversation_id = found.message, found.message.conversation_id
    thing = ("conversation", conversation_id)
    data_access.record_once(tenant().id, thing, "message.viewed", one.id, conversation_id=conversation_id)


def _shown(found: Detail, **more: Any) -> str:
    one = found.message
    person = contact_rows.named(tenant_pool(), [one.conversation_id]).get(one.conversation_id)
    charged = prices.of_copies(tenant_pool(), one.tenant_id, one.line_id, found.prices)
    return render_template(
        "portal/message.html", person=person, charged=charged, **_progress(found), **{"asked": False} | more
    )


def _progress(found: Detail) -> dict[str, Any]:
    one = found.message
    why = waiting.of_message(tenant_pool(), tenant().id, one.id, web_context().terms)
    return {"found": found, "one": one, "why": why, "settled": one.state in SETTLED and why is None}
