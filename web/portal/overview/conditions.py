"""What is wrong, and what was: of a tenant, or of all for the operator; and the webhook that is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from db.conditions import addressees, standing
from db.conditions.standing import ListedCondition
from db.paging import CursorError
from db.sealing import SealError
from relay.channels.webhooks.client import Receiver
from relay.channels.webhooks.signing import new_secret
from relay.core.conditions import posted
from relay.core.conditions.digest import words
from relay.core.conditions.kinds import KINDS
from relay.core.errors import SendError
from web.portal.frame import filters, shown_once
from web.portal.frame.blueprint import portal, recent, tenant_pool
from web.portal.frame.language import _, _l
from web.portal.frame.page_owner import place
from web.portal.lines.line_names import line_names
from web.portal.wizard.forms import stripped
from web.request import limits
from web.request.context import web_context
from web.request.principal import OPERATOR, by, needs

LONGEST_URL = 1000
SHOWN = "conditions-webhook"
PageResponse = str | Response | tuple[str, int]


class WebhookForm(FlaskForm):
    url = StringField(
        _l("Address"),
        [DataRequired(_l("Enter the address, which begins with https://.")), Length(max=LONGEST_URL)],
        [stripped],
        _l("Https at port 443, and public. What is posted is signed as Standard Webhooks has it."),
    )


@portal.get("/tenants/<uuid:tenant_id>/conditions")
@needs("tenants:read", per_line=True, without_consent=True)
def conditions(tenant_id: UUID) -> PageResponse:
    return _page(WebhookForm())


@portal.get("/conditions")
@needs(OPERATOR)
def all_conditions() -> PageResponse:
    return _page(WebhookForm())


@portal.post("/tenants/<uuid:tenant_id>/conditions/webhook")
@needs("tenants:write")
@recent
def set_conditions_webhook(tenant_id: UUID) -> PageResponse:
    return _set()


@portal.post("/conditions/webhook")
@needs(OPERATOR)
@recent
def set_operator_webhook() -> PageResponse:
    return _set()


@portal.post("/tenants/<uuid:tenant_id>/conditions/webhook/test")
@needs("tenants:write")
def test_conditions_webhook(tenant_id: UUID) -> PageResponse:
    return _test()


@portal.post("/conditions/webhook/test")
@needs(OPERATOR)
def test_operator_webhook() -> PageResponse:
    return _test()


@portal.post("/tenants/<uuid:tenant_id>/conditions/webhook/remove")
@needs("tenants:write")
@recent
def remove_conditions_webhook(tenant_id: UUID) -> PageResponse:
    return _remove()


@portal.post("/conditions/webhook/remove")
@needs(OPERATOR)
@recent
def remove_operator_webhook() -> PageResponse:
    return _remove()


def _page(form: WebhookForm, status: int = 200) -> PageResponse:
    where = place()
    names = line_names() if where.tenant_id is not None else {}
    open_ones = standing.open_ones(tenant_pool(), where.tenant_id)
    try:
        past = standing.past(tenant_pool(), where.tenant_id, filters.before())
    except CursorError as error:
        raise filters.beyond() from error
    older = where.url("conditions", "all_conditions", before=past.next) if past.next else None
    return (
        render_template(
            "portal/conditions.html",
            place=where,
            form=form,
            holding=_shown(open_ones, names),
            past=_shown(past.items, names),
            older=older,
            days=standing.KEPT_DAYS,
            webhook=addressees.webhook(tenant_pool(), where.tenant_id),
            secret=shown_once.take(SHOWN) if request.method == "GET" else None,
            mail=web_context().mail is not None,
        ),
        status,
    )


def _shown(found: Sequence[ListedCondition], names: dict[str, str]) -> list[tuple[ListedCondition, str, Any]]:
    """Each with its title and what is known of its kind. An operator's list names the line by its tenant alone."""
    return [
        (one, words(one.kind, names.get(one.line_id or "", "") or (one.line if one.line_id else ""), one.subject),
         KINDS.get(one.kind))
        for one in found
    ]  # fmt: skip


def _back() -> Response:
    return redirect(place().url("conditions", "all_conditions"))


def _set() -> PageResponse:
    form, where = WebhookForm(), place()
    if not form.validate_on_submit():
        return _page(form, 400)
    url = form.url.data
    try:
        web_context().webhooks.admit(url, where.tenant_id or "")
    except SendError as error:
        form.url.errors = [_("This address is never called: %(error)s.", error=error.text)]
        return _page(form, 400)
    secret = new_secret()
    sealed = addressees.sealed_webhook(web_context().cipher, url, secret)
    addressees.put_webhook(tenant_pool(), by(), where.tenant_id, urlsplit(url).hostname or "", sealed)
    shown_once.keep(SHOWN, secret)
    flash(_("The webhook is set. Its secret is shown once, below."), "success")
    return _back()


def _test() -> PageResponse:
    limits.test_message()
    try:
        held = addressees.opened(tenant_pool(), web_context().cipher, place().tenant_id)
        if held is None:
            flash(_("There is no webhook yet."), "warning")
            return _back()
        receiver = Receiver(held[0], (held[1],), place().tenant_id or "")
        status = web_context().webhooks.post(receiver, f"conditions-test-{uuid4()}", posted.test(datetime.now(UTC)))
        flash(_("The test arrived: it was answered %(status)s.", status=status), "success")
    except SendError as error:
        flash(_("The test did not arrive: %(error)s.", error=error.text), "danger")
    except SealError as error:
        flash(_("The test was not sent: %(error)s.", error=error), "danger")
    return _back()


def _remove() -> PageResponse:
    addressees.remove_webhook(tenant_pool(), by(), place().tenant_id)
    flash(_("The webhook is removed."), "success")
    return _back()
