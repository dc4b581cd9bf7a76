"""The pages on which the operator closes a tenant, has it deleted, and finds the certificate of that."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from db.tenants import deletions, registry
from db.tenants.changes import TakenError
from db.tenants.deletions import MOST_DAYS, TenantDeletion
from web.actions import departures as actions
from web.portal.frame.blueprint import portal, recent
from web.portal.frame.language import _, _l
from web.portal.frame.words import sentence
from web.portal.wizard.forms import stripped
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import OPERATOR, needs

STAGE_WORDS = {
    "closed": _l("Closed"),
    "contacts": _l("Contacts, messages and files are being deleted"),
    "objects": _l("Files and raw webhooks are being deleted"),
    "shared": _l("Its part of shared webhooks is being looked for"),
    "waiting": _l("What waits in queues and Redis is being deleted"),
    "rows": _l("All other rows are being deleted"),
    "again": _l("A last look for what came in meanwhile"),
    "audit": _l("The words of its audit log are being deleted"),
    "done": _l("Deleted"),
}
PLACES = {
    "message_tracking": _l("Messages"),
    "conversation_mappings": _l("Contacts"),
    "objects": _l("Files and raw webhooks"),
    "webhooks_rewritten": _l("Shared webhooks rewritten"),
    "webhooks_deleted": _l("Shared webhooks deleted"),
    "dead_letters": _l("Updates that could not be taken in"),
    "redis": _l("Keys in Redis"),
    "lines": _l("Lines"),
    "users": _l("Users"),
    "api_keys": _l("API keys"),
    "audit_log": _l("Lines of the audit log that lost their words"),
}


class ClosingForm(FlaskForm):
    name = StringField(
        _l("Name of the tenant"),
        [DataRequired(_l("Which one?")), Length(max=200)],
        [stripped],
        _l("As it stands on the page Tenants."),
    )
    days = IntegerField(
        _l("Days until it is deleted"),
        [
            InputRequired(_l("After how many days?")),
            NumberRange(0, MOST_DAYS, _l("Between 0 and %(most)s.", most=MOST_DAYS)),
        ],
        default=deletions.DAYS,
        description=_l("Until then it can be taken back."),
    )
    sure = BooleanField(
        _l("Close this tenant: its lines stop at once"), [DataRequired(_l("Tick this: its lines stop."))]
    )


class AtOnceForm(FlaskForm):
    typed = StringField(
        _l("Name of the tenant, to be sure"), [DataRequired(_l("Type the name.")), Length(max=200)], [stripped]
    )


@portal.get("/departures")
@needs(OPERATOR)
def departures() -> str:
    return _list(ClosingForm(None))


@portal.post("/departures")
@needs(OPERATOR)
@recent
def close_tenant() -> ResponseReturnValue:
    form = ClosingForm()
    if not form.validate_on_submit():
        return _list(form), 400
    named = registry.named(web_context().pool, form.name.data or "")
    if len(named) != 1:
        several = "Several tenants are called so: use `relay tenants close` with the id of the one that is meant."
        form.name.errors = [several if named else "No tenant is called so."]
        return _list(form), 400
    try:
        actions.close(named[0].id, form.days.data or 0)
    except (TakenError, ApiError) as error:
        form.name.errors = [sentence(str(error))]
        return _list(form), 400
    flash(_("The tenant is closed."), "success")
    return redirect(url_for("portal.departure", departed_id=named[0].id))


@portal.get("/departures/<uuid:departed_id>")
@needs(OPERATOR)
def departure(departed_id: UUID) -> str:
    return _page(_known(departed_id), AtOnceForm(None))


@portal.post("/departures/<uuid:departed_id>/deletion")
@needs(OPERATOR)
@recent
def delete_tenant(departed_id: UUID) -> ResponseReturnValue:
    form = AtOnceForm()
    if not form.validate_on_submit():
        return _page(_known(departed_id), form), 400
    try:
        actions.begin_now(str(departed_id), form.typed.data or "")
    except TakenError as error:
        form.typed.errors = [sentence(str(error))]
        return _page(_known(departed_id), form), 400
    flash(_("The daemons begin within a minute."), "success")
    return redirect(url_for("portal.departure", departed_id=departed_id))


@portal.post("/departures/<uuid:departed_id>/back")
@needs(OPERATOR)
@recent
def take_tenant_back(departed_id: UUID) -> ResponseReturnValue:
    try:
        actions.take_back(str(departed_id))
    except TakenError as error:
        flash(sentence(str(error)), "warning")
        return redirect(url_for("portal.departure", departed_id=departed_id))
    flash(_("The tenant stays. Its people may log in again; its lines have to complete their set-up anew."), "success")
    return redirect(url_for("portal.departures"))


def _known(departed_id: UUID) -> TenantDeletion:
    return deletions.get(web_context().pool, str(departed_id))


def _list(form: ClosingForm) -> str:
    found = deletions.listed(web_context().pool)
    return render_template("portal/data/departures.html", form=form, found=found, words=STAGE_WORDS)


def _page(one: TenantDeletion, form: AtOnceForm) -> str:
    main = [(name, one.counts[place]) for place, name in PLACES.items() if place in one.counts]
    rest = [(place, count) for place, count in sorted(one.counts.items()) if place not in PLACES]
    return render_template(
        "portal/data/departure.html", one=one, form=form, found=[*main, *rest], stage=STAGE_WORDS[one.stage]
    )
