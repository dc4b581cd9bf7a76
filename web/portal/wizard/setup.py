"""The set-up that brings a tenant live: five steps, left and gone on with at will. Its pages are in setup_pages."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from db.tenants import registry
from web.portal.frame.blueprint import portal, tenant
from web.portal.frame.language import _
from web.portal.wizard import notes, pages, review, sides, trial
from web.portal.wizard.forms import OrganisationForm
from web.request.principal import by, needs

PARTS = (pages, review, sides, trial)


@portal.post("/tenants/<uuid:tenant_id>/setup/welcome")
@needs("tenants:write")
def setup_begin(tenant_id: object) -> ResponseReturnValue:
    notes.step("organisation")
    return redirect(url_for("portal.setup", tenant_id=tenant().id, step="organisation"))


@portal.post("/tenants/<uuid:tenant_id>/setup/organisation")
@needs("tenants:write")
def setup_organisation(tenant_id: object) -> ResponseReturnValue:
    form, held = OrganisationForm(), tenant()
    if not form.validate_on_submit():
        return pages.organisation_page(form), 400
    name, contact = form.name.data or "", form.contact.data or ""
    if (name, contact) != (held.name, held.contact):
        registry.rename(notes.changes(), by(), held.id, name, contact)
    if form.language.data != held.language:
        registry.set_language(notes.changes(), by(), held.id, form.language.data)
    if request.form.get("do") == "later":
        flash(_("Saved. Go on whenever you like: Set-up opens where you left it."), "success")
        return redirect(url_for("portal.home"))
    notes.step("genesys")
    return redirect(url_for("portal.setup", tenant_id=held.id, step="genesys"))
