"""Catching up with a line: how it stands, and asking for it by hand."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.tenants import catch_ups
from db.tenants.changes import NotFoundError, TakenError
from relay.core.catch_up import CatchUp
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.language import _, _l, translated
from web.portal.lines.line_names import own_line
from web.portal.wizard import notes
from web.request.principal import by, needs

HOURS = (1, 6, 24)
WORDS = {"complete": _l("Done"), "incomplete": _l("Done in part"), "failed": _l("Failed")}


@portal.get("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/catch-up")
@needs("tenants:read", per_line=True, without_consent=True)
def catching_up(tenant_id: object, line_id: UUID) -> str:
    """The part of the line's page that keeps itself fresh."""
    standing = catch_ups.of_line(tenant_pool(), own_line(line_id).id)
    return render_template("portal/lines/_catching_up.html", standing=standing)


@portal.post("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/catch-up")
@needs("tenants:write")
def catch_up(tenant_id: object, line_id: UUID) -> ResponseReturnValue:
    line, hours = own_line(line_id), request.form.get("hours", type=int)
    if hours not in HOURS:
        flash(_("Nothing was asked for: choose one of %(hours)s hours.", hours=", ".join(map(str, HOURS))), "danger")
    else:
        try:
            catch_ups.want(notes.changes(), by(), tenant().id, line.id, hours * 3600.0)
            flash(_("The relay asks Genesys now. What it finds is relayed, in order, once."), "success")
        except (NotFoundError, TakenError) as error:
            flash(_("Nothing was asked for: %(error)s.", error=translated(str(error))), "danger")
    return redirect(url_for("portal.line", tenant_id=tenant().id, line_id=line_id, _anchor="catching-up"))


@portal.app_template_global()
def catch_up_word(standing: CatchUp) -> str:
    """One word for how it stands."""
    if standing.at_work:
        return _("Under way")
    return str(WORDS[standing.outcome]) if standing.outcome else _("Waits for a daemon")
