"""A tenant's lines: how they are, what they are called by, what they do otherwise, and pausing all of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.tenants import catch_ups, former_secrets, onboarding, ownership, registry
from db.tenants.changes import Changes, TakenError
from db.tenants.onboarding import Line
from db.views import line_health
from web.api.tenants.onboarding import completed
from web.api.tenants.webhook_urls import WebhookUrlsOf
from web.portal.frame.blueprint import portal, recent, tenant, tenant_pool
from web.portal.frame.language import _, _n, translated
from web.portal.frame.words import sentence
from web.portal.lines.catching_up import HOURS
from web.portal.lines.forms import LineForm, offered
from web.portal.lines.line_names import own_line
from web.portal.lines.settings_form import SettingsForm
from web.portal.wizard import notes
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import OPERATOR, by, needs

AT_ONCE = 20


@portal.get("/tenants/<uuid:tenant_id>/lines")
@needs("tenants:read", per_line=True, without_consent=True)
def lines(tenant_id: object) -> str:
    """The page, or the part of it that keeps itself fresh."""
    found = onboarding.listed(tenant_pool(), tenant().id)
    start = next((n for n, one in enumerate(found, start=1) if one.id == request.args.get("after")), 0)
    shown = found[start : start + AT_ONCE]
    after = shown[-1].id if start + AT_ONCE < len(found) else None
    template = "portal/lines/_list.html" if request.headers.get("X-Fragment") == "1" else "portal/lines/lines.html"
    health = {one.line_id: one for one in line_health.of_tenant(tenant_pool(), tenant().id, web_context().terms)}
    former = former_secrets.valid(tenant_pool(), web_context().cipher, tenant().id)
    return render_template(template, lines=shown, health=health, after=after, former=former)


@portal.get("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>")
@needs("tenants:read", per_line=True, without_consent=True)
def line(tenant_id: object, line_id: UUID) -> str:
    found = own_line(line_id)
    return _page(found, SettingsForm.of(found))


@portal.post("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>")
@needs("tenants:write")
def change_line(tenant_id: object, line_id: UUID) -> ResponseReturnValue:
    found, form = own_line(line_id), SettingsForm()
    if not form.validate_on_submit():
        return _page(found, form), 400
    onboarding.configure(notes.changes(), by(), tenant().id, found.id, form.settings())
    flash(_("Saved. It counts from the next message on."), "success")
    return redirect(url_for("portal.line", tenant_id=tenant().id, line_id=found.id))


@portal.post("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/remove")
@needs("tenants:write")
def remove_line(tenant_id: object, line_id: UUID) -> ResponseReturnValue:
    try:
        onboarding.remove(notes.changes(), by(), tenant().id, str(line_id))
    except TakenError as error:
        flash(_("Not removed: %(error)s.", error=translated(str(error))), "danger")
        return redirect(url_for("portal.line", tenant_id=tenant().id, line_id=line_id))
    flash(_("The line is removed."), "success")
    return redirect(url_for("portal.lines", tenant_id=tenant().id))


@portal.post("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/release")
@needs(OPERATOR, without_consent=True)
def release_line(tenant_id: object, line_id: UUID) -> ResponseReturnValue:
    """Its tenant owns the number and the integration no more; all that came over it stays here."""
    reason = request.form.get("reason", "").strip()
    if not reason.isprintable() or len(reason) > 500:
        flash(_("Not released: the reason is one line of up to 500 characters."), "danger")
    else:
        try:
            everybody = Changes(web_context().pool, web_context().cache.forget_routes)
            ownership.release(everybody, by(), tenant().id, str(line_id), reason or ownership.NO_REASON)
            flash(_("Released. Somebody else may bring the number and the integration live now."), "success")
        except TakenError as error:
            flash(_("Not released: %(error)s.", error=translated(str(error))), "danger")
    return redirect(url_for("portal.line", tenant_id=tenant().id, line_id=line_id))


@portal.get("/tenants/<uuid:tenant_id>/lines/new")
@needs("tenants:write")
@recent
def new_line(tenant_id: object) -> str:
    """With ?look=1 both providers are asked for what the accounts have."""
    found = offered() if request.args.get("look") else None
    lines = onboarding.listed(tenant_pool(), tenant().id)
    used = {ref for one in lines if one.status != "released" for ref in (one.phone_number_id, one.integration_id)}
    return render_template("portal/lines/new.html", form=LineForm(None), found=found, used=used)


@portal.post("/tenants/<uuid:tenant_id>/lines/new")
@needs("tenants:write")
@recent
def add_line(tenant_id: object) -> ResponseReturnValue:
    form = LineForm()
    if not form.validate_on_submit():
        return render_template("portal/lines/new.html", form=form, found=None), 400
    try:
        made = onboarding.create(
            notes.changes(),
            web_context().cipher,
            by(),
            tenant().id,
            form.phone_number_id.data or "",
            form.integration_id.data or "",
            form.webhook_secret.data or None,
        )
    except TakenError as error:
        flash(_("Not added: %(error)s.", error=translated(str(error))), "danger")
        return render_template("portal/lines/new.html", form=form, found=None), 409
    flash(_("The line is there. Check it and go live below."), "success")
    return redirect(url_for("portal.line", tenant_id=tenant().id, line_id=made.id))


@portal.post("/tenants/<uuid:tenant_id>/lines/live")
@needs("tenants:write")
def lines_live(tenant_id: object) -> ResponseReturnValue:
    """The same as the API's complete-onboarding: all lines are checked, and those that are proved go live."""
    try:
        waiting = [line for line in completed(tenant()).lines if line.status != "active"]
        if waiting:
            text = _n(
                "A line waits for proof. The relay goes on asking by itself; see below what is missing.",
                "%(num)s lines wait for proof. The relay goes on asking by itself; see below what is missing.",
                len(waiting),
            )
            flash(text, "warning")
        else:
            flash(_("All lines are live."), "success")
    except TakenError as error:
        flash(_("Not live: %(error)s.", error=translated(str(error))), "danger")
    except ApiError as error:
        if error.status != 409:
            raise
        flash(_("Not live.") + f" {sentence(error.message)}", "danger")
    return redirect(url_for("portal.lines", tenant_id=tenant().id))


@portal.post("/tenants/<uuid:tenant_id>/status")
@needs("tenants:write", without_consent=True)
def change_status(tenant_id: object) -> ResponseReturnValue:
    """Pause, or go on. A tenant that is not live yet has nothing to pause."""
    status = request.form.get("status")
    if status not in ("active", "paused") or tenant().status == "onboarding":
        flash(_("There is nothing to pause yet."), "warning")
    else:
        registry.set_status(notes.changes(), by(), tenant().id, status)  # type: ignore[arg-type]
        flash("Paused: everything is kept, nothing is sent." if status == "paused" else _("Going on."), "success")
    return redirect(url_for("portal.lines", tenant_id=tenant().id))


def _page(found: Line, form: SettingsForm) -> str:
    health: Any = line_health.of_tenant(tenant_pool(), tenant().id, web_context().terms)
    own = next((one for one in health if one.line_id == found.id), None)
    urls = WebhookUrlsOf(tenant()).of(found)
    standing = catch_ups.of_line(tenant_pool(), found.id)
    return render_template(
        "portal/lines/line.html", line=found, form=form, health=own, urls=urls, standing=standing, hours=HOURS
    )
