"""All checks of all lines, at any time: the same, and in the same words, as `relay doctor`."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.tenants import check_runs, onboarding
from db.tenants.onboarding import Line
from relay.checks import line_checks as line_checks
from web.actions import webhook_fields
from web.api.tenants.checks import of_tenant, ours
from web.portal.frame.blueprint import portal, recent, tenant, tenant_pool
from web.portal.frame.language import _, translated
from web.portal.wizard.review import NAMES, results
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import needs

AT_ONCE = 20
RUNS = 10
"""Scheduled checks that are shown of each line."""


@portal.get("/tenants/<uuid:tenant_id>/checks")
@needs("tenants:write")
def checks(tenant_id: object) -> str:
    return _page({})


@portal.post("/tenants/<uuid:tenant_id>/checks")
@needs("tenants:write")
def run_checks(tenant_id: object) -> str:
    """Without scripts: the page once more, with the results of all lines on it."""
    found = of_tenant(tenant().id)
    ids = {one.line_id for one in found}
    return _page({line_id: results([one for one in found if one.line_id == line_id]) for line_id in ids})


@portal.post("/tenants/<uuid:tenant_id>/checks/<uuid:line_id>")
@needs("tenants:write")
def check_one(tenant_id: object, line_id: UUID) -> ResponseReturnValue:
    """One line, as a part of the page."""
    stored = line_checks.subjects(tenant_pool(), web_context().cipher, ours(), tenant().id)
    subject = next((one for one in stored if one.line_id == str(line_id)), None)
    if subject is None:
        raise ApiError(404, "not_found", _("there is no such line"))
    found = results(line_checks.check_line(web_context().channels, subject, ours()))
    if request.headers.get("X-Fragment") == "1":
        return render_template("portal/setup/_results.html", results=found, line_id=subject.line_id)
    return _page({subject.line_id: found})


@portal.post("/tenants/<uuid:tenant_id>/checks/<uuid:line_id>/fields")
@needs("tenants:write")
@recent
def subscribe_fields(tenant_id: object, line_id: UUID) -> ResponseReturnValue:
    """Has Meta send every kind of webhook that is of use; the line is to be checked again afterwards."""
    try:
        done = webhook_fields.subscribe(tenant().id, str(line_id))
    except ApiError as error:
        flash(_("Nothing was changed: %(error)s.", error=translated(error.message)), "danger")
    else:
        flash(
            _("The app %(app_id)s is subscribed to every webhook field that is of use here.", app_id=done.app_id),
            "success",
        )
    return redirect(url_for("portal.checks", tenant_id=tenant().id))


def _page(found: dict[str, list[tuple[str, str, list[tuple[str, str, str, str]]]]]) -> str:
    """The newest of a tenant's many lines have a page of their own to be checked on."""
    lines: list[Line] = [one for one in onboarding.listed(tenant_pool(), tenant().id) if one.status != "released"]
    start = next((n for n, one in enumerate(lines, start=1) if one.id == request.args.get("after")), 0)
    after = lines[start + AT_ONCE - 1].id if start + AT_ONCE < len(lines) else None
    shown = lines[start : start + AT_ONCE]
    return render_template(
        "portal/lines/checks.html",
        lines=shown,
        found=found,
        runs=check_runs.of_lines(tenant_pool(), [one.id for one in shown], RUNS),
        sides=NAMES,
        after=after,
    )
