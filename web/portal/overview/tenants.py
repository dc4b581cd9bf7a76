"""The operator's list of tenants, and the beginning of a new one."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.paging import CursorError
from db.tenants import ownership
from db.tenants import registry as stored
from db.views import overview
from web.portal.frame.blueprint import portal
from web.portal.wizard.forms import OrganisationForm
from web.request.context import changes, web_context
from web.request.errors import ApiError
from web.request.principal import OPERATOR, by, needs

AT_ONCE = 50


@portal.get("/tenants")
@needs(OPERATOR)
def tenants() -> str:
    """The page, or the part of it that keeps itself fresh. With ?whose= also who has that number or integration."""
    try:
        found = overview.tenants(web_context().pool, AT_ONCE, request.args.get("after"))
    except CursorError:
        raise ApiError(400, "bad_request", "this page does not begin there; go back to the first one") from None
    template = "_list.html" if request.headers.get("X-Fragment") == "1" else "tenants.html"
    return render_template(f"portal/tenants/{template}", found=found, first=not request.args.get("after"), **_whose())


def _whose() -> dict[str, Any]:
    """The lines with the id that is looked for, and what their tenants are called."""
    ref = request.args.get("whose", "").strip()[:128]
    lines = ownership.find(web_context().pool, ref) if ref.isprintable() and ref else []
    known = {line.tenant_id: stored.get(web_context().pool, line.tenant_id) for line in lines}
    return {"whose": ref, "owners": [(line, known[line.tenant_id]) for line in lines]}


@portal.get("/tenants/new")
@needs(OPERATOR)
def new_tenant() -> str:
    return render_template("portal/tenants/new.html", form=OrganisationForm(None))


@portal.post("/tenants/new")
@needs(OPERATOR)
def create_tenant() -> ResponseReturnValue:
    """Made, and straight into its set-up."""
    form = OrganisationForm()
    if not form.validate_on_submit():
        return render_template("portal/tenants/new.html", form=form), 400
    made = stored.create(changes(), by(), form.name.data or "", form.contact.data or "", form.language.data)
    return redirect(url_for("portal.setup", tenant_id=made.id))
