"""The pages on which a person is erased, and on which the certificate of it stands."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, Length

from db.contacts import erasures
from db.tenants.changes import TakenError
from web.actions import erasures as actions
from web.portal.frame.blueprint import portal, recent, tenant, tenant_pool
from web.portal.frame.language import _l
from web.portal.frame.words import sentence
from web.portal.wizard.forms import stripped
from web.request.errors import ApiError
from web.request.principal import needs

STAGE_WORDS = {
    "stop": _l("The conversation has stopped; calls under way end"),
    "messages": _l("Messages and files are being deleted"),
    "contact": _l("The contact is being deleted"),
    "waiting": _l("What waits, and notices, are being looked through"),
    "archive": _l("Raw webhooks are being looked through"),
    "again": _l("A last look for what came in meanwhile"),
    "done": _l("Erased"),
}
PLACES = {
    "conversations": _l("Conversations"),
    "message_tracking": _l("Messages"),
    "files": _l("Files"),
    "parked_receipts": _l("Delivery reports that waited"),
    "conversation_mappings": _l("Contacts"),
    "contact_aliases": _l("Further names"),
    "genesys_conversations": _l("Genesys conversations"),
    "conversation_ends": _l("Ends of conversations"),
    "end_requests": _l("Ends asked for"),
    "line_notices": _l("Notices"),
    "unknown_lines": _l("Updates of unknown numbers"),
    "dead_letters": _l("Updates that could not be taken in"),
    "webhooks_seen": _l("Raw webhooks looked through (objects)"),
    "webhooks_rewritten": _l("of these rewritten, since they named others too"),
    "webhooks_deleted": _l("of these deleted"),
}


class ErasureForm(FlaskForm):
    contact = StringField(
        _l("Number or user id"),
        [DataRequired(_l("Whom?")), Length(max=200)],
        [stripped],
        _l("With country code, as +49 170 1112223."),
    )
    sure = BooleanField(
        _l("Erase this person for good"), [DataRequired(_l("Tick this: nothing of it can be brought back."))]
    )


@portal.get("/tenants/<uuid:tenant_id>/erasures")
@needs("contacts:erase")
def erasure_list(tenant_id: UUID) -> str:
    return _page(ErasureForm())


@portal.post("/tenants/<uuid:tenant_id>/erasures")
@needs("contacts:erase")
@recent
def begin_erasure(tenant_id: UUID) -> ResponseReturnValue:
    form = ErasureForm()
    if not form.validate_on_submit():
        return _page(form), 400
    try:
        begun = actions.begin(tenant().id, form.contact.data or "")
    except (ApiError, TakenError) as error:
        form.contact.errors = [sentence(error.message if isinstance(error, ApiError) else str(error))]
        return _page(form), 400
    return redirect(url_for("portal.erasure", tenant_id=tenant_id, erasure_id=begun.id))


@portal.get("/tenants/<uuid:tenant_id>/erasures/<uuid:erasure_id>")
@needs("contacts:erase")
def erasure(tenant_id: UUID, erasure_id: UUID) -> str:
    one = erasures.get(tenant_pool(), tenant().id, str(erasure_id))
    found = [(name, one.counts[place]) for place, name in PLACES.items() if place in one.counts]
    return render_template("portal/data/erasure.html", one=one, found=found, stage=STAGE_WORDS[one.stage])


def _page(form: ErasureForm) -> str:
    found = erasures.listed(tenant_pool(), tenant().id)
    return render_template("portal/data/erasures.html", form=form, found=found, words=STAGE_WORDS)
