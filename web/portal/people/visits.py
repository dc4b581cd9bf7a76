"""Whether operators look into the tenant at any time or by consent: chosen, allowed and ended by its admins.

The same page is an operator's way in, in an emergency.
"""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from db.tenants import visits as rows
from web.portal.frame.blueprint import portal, recent, tenant, tenant_pool
from web.portal.frame.language import _, _l
from web.portal.wizard.forms import stripped
from web.request.context import pool
from web.request.errors import ApiError
from web.request.principal import OPERATOR, by, needs, principal

HOURS = {1: _l("For 1 hour"), 8: _l("For 8 hours"), 72: _l("For 3 days")}
PageResponse = str | tuple[str, int]


class ForceForm(FlaskForm):
    reason = StringField(
        _l("Why it cannot wait"),
        [
            DataRequired(_l("Say why it cannot wait for the tenant's consent.")),
            Length(10, rows.LONGEST_REASON, _l("Say it in 10 to 300 characters.")),
        ],
        [stripped],
    )


@portal.get("/tenants/<uuid:tenant_id>/visits")
@needs("audit:read", without_consent=True)
def visits(tenant_id: UUID) -> str:
    return _page(ForceForm())


@portal.post("/tenants/<uuid:tenant_id>/visits/rule")
@needs("access:write")
@recent
def choose_visits(tenant_id: UUID) -> Response:
    _own_people_only()
    by_consent = request.form.get("rule") == "consent"
    rows.choose(tenant_pool(), by(), tenant().id, by_consent=by_consent)
    said = _("Operators look in only when you allow it.") if by_consent else _("Operators may look in at any time.")
    flash(said, "success")
    return _back()


@portal.post("/tenants/<uuid:tenant_id>/visits/allow")
@needs("access:write")
@recent
def allow_visit(tenant_id: UUID) -> Response:
    _own_people_only()
    hours = request.form.get("hours", type=int)
    if hours in rows.HOURS:
        rows.allow(tenant_pool(), by(), tenant().id, hours)
        flash(_("Operators may look in now. It ends by itself."), "success")
    else:
        flash(_("Nothing was allowed: choose for how long."), "danger")
    return _back()


@portal.post("/tenants/<uuid:tenant_id>/visits/end")
@needs("access:write")
def end_visit(tenant_id: UUID) -> Response:
    _own_people_only()
    ended = rows.end(tenant_pool(), by(), tenant().id)
    flash(_("Ended: operators see nothing of yours any more.") if ended else _("It had ended already."), "success")
    return _back()


@portal.post("/tenants/<uuid:tenant_id>/visits/force")
@needs(OPERATOR, without_consent=True)
@recent
def force_visit(tenant_id: UUID) -> PageResponse | Response:
    form = ForceForm()
    if not form.validate_on_submit():
        return _page(form), 400
    # Not as the tenant: what is due for its conditions is the installation's.
    rows.force(pool(), by(), tenant().id, form.reason.data)
    flash(_("You are in for an hour. The tenant's admins are told now, with your reason."), "warning")
    return _back()


def _own_people_only() -> None:
    """An operator who could consent in the tenant's place would need no consent."""
    if principal().tenant_id is None:
        raise ApiError(403, "forbidden", _("only the tenant's own people say when operators may look in"))


def _page(form: ForceForm) -> str:
    standing = rows.standing(tenant_pool(), tenant().id)
    if standing is None:
        raise NotFound
    own = principal().tenant_id is not None
    return render_template("portal/visits.html", standing=standing, form=form, own=own, hours=HOURS)


def _back() -> Response:
    return redirect(url_for("portal.visits", tenant_id=tenant().id))
