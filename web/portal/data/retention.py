"""The page on which a tenant chooses for how long what is kept, and sees what was deleted."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import IntegerField
from wtforms.validators import Optional

from relay.core.retention import DEDUPE_DAYS, RetentionError, RetentionKind
from web.actions import retention as actions
from web.portal.frame.blueprint import portal, recent, tenant
from web.portal.frame.language import _, _l
from web.portal.frame.words import sentence
from web.request.principal import needs

WORDS: dict[RetentionKind, tuple[str, str]] = {
    "contents": (
        _l("Contents of messages"),
        _l("Words, payloads and providers' answers. That there was a message stays."),
    ),
    "webhooks": (_l("Raw webhooks"), _l("What the providers sent, byte for byte, in the object store.")),
    "media": (_l("Files"), _l("Pictures, recordings, films and documents, in the object store.")),
    "history": (
        _l("Messages and their history"),
        _l(
            "All that is known of them; contacts who have none left go, too. At least %(days)s days longer than "
            "contents, so that a repeated webhook finds its message.",
            days=DEDUPE_DAYS,
        ),
    ),
    "notices": (_l("Notices"), _l("What reached your lines and is no message.")),
    "audit": (_l("Audit log"), _l("Who did what. Its chain stays verifiable.")),
}


class RetentionForm(FlaskForm):
    contents = IntegerField(WORDS["contents"][0], [Optional()])
    webhooks = IntegerField(WORDS["webhooks"][0], [Optional()])
    media = IntegerField(WORDS["media"][0], [Optional()])
    history = IntegerField(WORDS["history"][0], [Optional()])
    notices = IntegerField(WORDS["notices"][0], [Optional()])
    audit = IntegerField(WORDS["audit"][0], [Optional()])


@portal.get("/tenants/<uuid:tenant_id>/retention")
@needs("tenants:read")
def retention(tenant_id: UUID) -> str:
    chosen = {one.kind: one.days for one in actions.standing(tenant().id) if one.chosen}
    return _page(RetentionForm(data=chosen))


@portal.post("/tenants/<uuid:tenant_id>/retention")
@needs("tenants:write")
@recent
def choose_retention(tenant_id: UUID) -> ResponseReturnValue:
    form = RetentionForm()
    if not form.validate_on_submit():
        return _page(form), 400
    chosen: dict[str, int] = {kind: form[kind].data for kind in WORDS if form[kind].data is not None}
    try:
        actions.choose(tenant().id, chosen)
    except RetentionError as error:
        form[error.kind].errors = [sentence(str(error))]
        return _page(form), 400
    flash(_("Saved. What is too old now is deleted in the next hours."), "success")
    return redirect(url_for("portal.retention", tenant_id=tenant_id))


def _page(form: RetentionForm) -> str:
    return render_template("portal/data/retention.html", form=form, kinds=actions.standing(tenant().id), words=WORDS)
