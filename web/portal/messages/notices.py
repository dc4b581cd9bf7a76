"""Notices: what reached the tenant's lines and is no contact's message, the newest first."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, url_for
from wtforms import SelectField

from db.mailbox import notices as kept
from db.mailbox.notices import ListedNotice
from db.paging import CursorError, Page
from db.tenants import retention
from relay.core.redaction import redacted
from web.portal.frame import filters
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.frame.language import _l
from web.portal.frame.words import as_json
from web.portal.lines.line_names import line_choices, line_names
from web.request import data_access
from web.request.context import web_context
from web.request.principal import needs

SHOWN = 25
PAYLOAD_SHOWN = 10_000


class NoticeFilter(FilterForm):
    line = SelectField(_l("Line"), default="")


@portal.get("/tenants/<uuid:tenant_id>/notices")
@needs("messages:read", per_line=True)
def notices(tenant_id: UUID) -> str:
    data_access.record_once(tenant().id, ("notices", tenant().id), "notices.listed")
    lines = line_names()
    form = NoticeFilter()
    form.line.choices = line_choices()
    found = _listed(form) if form.validate() else Page([])
    older = url_for("portal.notices", tenant_id=tenant_id, before=found.next, **form.chosen)
    return render_template(
        "portal/notices.html",
        form=form,
        found=[(one, _payload(one)) for one in found.items],
        lines=lines,
        older=older if found.next else None,
        days=web_context().retention.days(retention.chosen(tenant_pool(), tenant().id))["notices"],
    )


def _listed(form: NoticeFilter) -> Page[ListedNotice]:
    try:
        return kept.listed(tenant_pool(), tenant().id, form.line.data or None, filters.before(), SHOWN)
    except CursorError as error:
        raise filters.beyond() from error


def _payload(one: ListedNotice) -> str:
    """Cut: a page holds many of them, and the API has the whole."""
    text = as_json(redacted(one.payload))
    return text if len(text) <= PAYLOAD_SHOWN else f"{text[:PAYLOAD_SHOWN]}…"
