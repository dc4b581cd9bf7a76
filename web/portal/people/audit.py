"""The audit log: who changed or looked at what, newest first. A tenant's own, and the whole installation's."""

from __future__ import annotations

from uuid import UUID

from flask import render_template
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from db.paging import CursorError
from db.views import audit_search
from db.views.audit_search import AuditPage, AuditSearch
from web.portal.frame import filters, time_zone
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.frame.language import _l, offered
from web.portal.frame.page_owner import place
from web.portal.frame.words import ACTIONS
from web.request.context import web_context
from web.request.principal import OPERATOR, needs

GROUPS = {
    "looks": (_l("Looks at personal data"), (".viewed", ".listed", ".exported", "token.read")),
    "people": (_l("Users and log-ins"), ("user.", "session.")),
    "keys": (_l("API keys"), ("key.",)),
    "refusals": (_l("Refused"), ("login.refused", "key.refused", "access.denied", "user.locked")),
    "setup": (_l("Tenant, lines and credentials"), ("tenant.", "line.", "credentials.")),
    "replays": (_l("Sent again"), (".replayed",)),
    "webhooks": (_l("Webhooks"), ("webhook.",)),
    "operator": (_l("What the operator did here"), ()),
}


class AuditFilter(FilterForm):
    actor = filters.text(_l("Who"), _l("Address or key"))
    group = SelectField(
        _l("What"), choices=offered({"": _l("Everything"), **{k: v[0] for k, v in GROUPS.items()}}), default=""
    )
    subject = filters.text(_l("Concerning"), _l("An id, as a whole"))
    until = DateField(_l("Up to"), validators=[Optional()])


@portal.get("/tenants/<uuid:tenant_id>/audit")
@needs("audit:read")
def audit(tenant_id: UUID) -> str:
    return _page(str(tenant_id))


@portal.get("/audit")
@needs(OPERATOR)
def operator_audit() -> str:
    return _page(None)


def _page(tenant_id: str | None) -> str:
    form = AuditFilter()
    found = _listed(tenant_id, form) if form.validate() else AuditPage([])
    where = place()
    older = where.url("audit", "operator_audit", before=found.next, **form.chosen) if found.next else None
    return render_template(
        "portal/audit.html", form=form, found=found, older=older, here=where.url("audit", "operator_audit")
    )


def _listed(tenant_id: str | None, form: AuditFilter) -> AuditPage:
    parts_of = GROUPS[form.group.data][1] if form.group.data else ()
    wanted = AuditSearch(
        tenant().id if tenant_id is not None else None,
        actor=form.actor.data or None,
        actions=[action for action in ACTIONS if any(part in action for part in parts_of)],
        subject=form.subject.data or None,
        by_operator=form.group.data == "operator",
        until=time_zone.end(form.until.data) if form.until.data else None,
        before=filters.before(),
    )
    try:
        return audit_search.listed(tenant_pool() if tenant_id is not None else web_context().pool, wanted)
    except CursorError as error:
        raise filters.beyond() from error
