"""The last step: everything at a glance, all checks, and going live."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.tenants import onboarding
from db.tenants.changes import TakenError
from db.tenants.onboarding import Line
from relay.checks import line_checks
from relay.checks.line_checks import REF, SIDES, SideFindings
from web.api.tenants.onboarding import completed
from web.portal.frame.blueprint import portal, tenant
from web.portal.frame.language import _, _l, translated
from web.portal.frame.words import sentence
from web.portal.wizard import notes, pages
from web.portal.wizard.state import Setup, ours, read, shown
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import by, needs

NAMES = {"whatsapp": _l("WhatsApp"), "genesys": _l("Genesys"), "relay": _l("This relay")}


@portal.post("/tenants/<uuid:tenant_id>/setup/review")
@needs("tenants:write")
def setup_check(tenant_id: object) -> str:
    """All checks of the pair. Without scripts it is the page once more, with what was found."""
    held = read()
    found = results(line_checks.check_line(web_context().channels, held.subject(), ours()))
    if request.headers.get("X-Fragment") == "1":
        return render_template("portal/setup/_results.html", results=found)
    return pages.page(held, "review", results=found)


@portal.post("/tenants/<uuid:tenant_id>/setup/live")
@needs("tenants:write")
def go_live(tenant_id: object) -> ResponseReturnValue:
    """The same as the API's complete-onboarding. What waits for proof is shown on the review, which follows it."""
    held = read()
    if not held.ready:
        flash(_("Something is still missing: the steps above say what."), "danger")
        return _review()
    try:
        _pair(held)
        done = completed(tenant())
    except TakenError as error:
        flash(_("Not live: %(error)s.", error=translated(str(error))), "danger")
        return _review()
    except ApiError as error:
        if error.status != 409:
            raise
        for one in error.details:
            if one.get("level") == "refused":
                flash(f"{NAMES[one['side']]}: {one['message']}.", "danger")
        if not error.details:
            flash(sentence(error.message), "danger")
        return _review()
    notes.step("review")
    waiting = [line for line in done.lines if line.status != "active"]
    if len(waiting) == len(done.lines):
        flash(_("Not live yet: the relay waits for proof, and goes on asking. See below what is missing."), "warning")
        return _review()
    more = " " + _("%(count)s more wait for proof: Go live shows them.", count=len(waiting)) if waiting else ""
    flash(_("%(tenant)s is live. Now send a message both ways.", tenant=tenant().name) + more, "success")
    return redirect(url_for("portal.trial", tenant_id=tenant().id))


@portal.get("/tenants/<uuid:tenant_id>/setup/standing")
@needs("tenants:write")
def setup_standing(tenant_id: object) -> str:
    """How the lines stand: the part of the review that keeps itself fresh."""
    return render_template("portal/setup/_standing.html", lines=read().lines)


def results(checked: list[SideFindings]) -> list[tuple[str, str, list[tuple[str, str, str, str]]]]:
    """Side, its name, and its findings, for the template of the same name."""
    return [(one.side, NAMES[one.side], shown(one.findings)) for one in checked]


def _pair(held: Setup) -> None:
    """complete-onboarding makes the first line, and mends one that never was active; a further one is made here."""
    owned = [line for line in held.lines if line.status != "released"]
    if held.line() is not None or not owned or _is_mended(owned):
        return
    refs = {side: held.values(side)[REF[side]] for side in SIDES}
    onboarding.create(notes.changes(), web_context().cipher, by(), tenant().id, refs["whatsapp"], refs["genesys"])


def _is_mended(lines: list[Line]) -> bool:
    return len(lines) == 1 and lines[0].paired and lines[0].status in ("pending", "refused")


def _review() -> ResponseReturnValue:
    return redirect(url_for("portal.setup", tenant_id=tenant().id, step="review"))
