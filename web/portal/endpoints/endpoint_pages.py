"""Where a tenant's own systems are told what happens: the list, one endpoint with its log, and its buttons."""

from __future__ import annotations

from typing import Any, get_args
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length

from db.endpoints import log, registry
from db.endpoints.log import EventState
from db.endpoints.registry import MOST, TenantEndpoint
from relay.core.endpoints.kinds import KINDS
from web.actions import endpoints as actions
from web.portal.frame import filters, shown_once
from web.portal.frame.blueprint import portal, recent, tenant, tenant_pool
from web.portal.frame.language import _, _l, _n, translated
from web.portal.wizard.forms import stripped
from web.request.errors import ApiError
from web.request.principal import by, needs

PAGE = 50
PageResponse = str | Response | tuple[str, int]
WORDS: dict[EventState, str] = {"delivered": _l("Taken"), "waiting": _l("Waiting"), "dead": _l("Dead letters")}
ONE = "/tenants/<uuid:tenant_id>/endpoints/<uuid:endpoint_id>"


def _kinds() -> dict[str, str]:
    return {kind: translated(words) for kind, words in KINDS.items()}


class EndpointForm(FlaskForm):
    url = StringField(
        _l("Address"),
        description=_l("It begins with https:// and is public. Each event is posted there."),
        validators=[DataRequired(_l("Give the address that events are posted to.")), Length(max=2000)],
        filters=[stripped],
    )
    name = StringField(
        _l("Name"), description=_l("For people, such as “CRM”. It may stay empty."), validators=[Length(max=200)],
        filters=[stripped],
    )  # fmt: skip
    kinds = SelectMultipleField(
        _l("What it is told"),
        choices=_kinds,
        validators=[DataRequired(_l("Choose at least one."))],
    )
    contents = BooleanField(_l("Also what was said, and by whom"))


@portal.get("/tenants/<uuid:tenant_id>/endpoints")
@needs("tenants:read")
def endpoints(tenant_id: UUID) -> str:
    found = registry.listed(tenant_pool(), tenant().id)
    return render_template("portal/endpoints/list.html", found=found, most=MOST)


@portal.route("/tenants/<uuid:tenant_id>/endpoints/new", methods=["GET", "POST"])
@needs("tenants:write")
@recent
def new_endpoint(tenant_id: UUID) -> PageResponse:
    form = EndpointForm(kinds=list(KINDS))
    if form.validate_on_submit():
        try:
            made, secret = actions.create(tenant_pool(), tenant().id, **_values(form))
        except ApiError as error:
            return _refused(form, error)
        shown_once.keep(made.id, secret)
        flash(_("The endpoint is told of what happens from now on."), "success")
        return redirect(_page(made.id))
    return _form(form, None)


@portal.route(f"{ONE}/edit", methods=["GET", "POST"])
@needs("tenants:write")
@recent
def edit_endpoint(tenant_id: UUID, endpoint_id: UUID) -> PageResponse:
    one = _own(endpoint_id)
    form = EndpointForm(obj=one)
    if form.validate_on_submit():
        try:
            actions.change(tenant_pool(), one.tenant_id, one.id, _values(form))
        except ApiError as error:
            return _refused(form, error, one)
        flash(_("Changed. It counts within half a minute."), "success")
        return redirect(_page(one.id))
    return _form(form, one)


@portal.get(ONE)
@needs("tenants:read")
def endpoint(tenant_id: UUID, endpoint_id: UUID) -> str:
    one = _own(endpoint_id)
    state: EventState = next((s for s in get_args(EventState) if s == request.args.get("state")), "delivered")
    before = request.args.get("before", type=int)
    if before is not None and not 0 <= before < 2**62:
        raise filters.beyond()
    found = log.events(tenant_pool(), one.tenant_id, one.id, state, before, PAGE + 1)
    older = None
    if len(found) > PAGE:
        older = url_for(".endpoint", tenant_id=tenant_id, endpoint_id=one.id, state=state, before=found[PAGE - 1].place)
    return render_template(
        "portal/endpoints/one.html",
        one=one, found=found[:PAGE], older=older, state=state, words=WORDS, kinds=KINDS,
        counts=log.counts(tenant_pool(), one.id), secret=shown_once.take(one.id),
    )  # fmt: skip


@portal.get(f"{ONE}/events/<uuid:event_id>")
@needs("tenants:read")
def endpoint_event(tenant_id: UUID, endpoint_id: UUID, event_id: UUID) -> str:
    one = _own(endpoint_id)
    posts = log.posts(tenant_pool(), one.tenant_id, one.id, str(event_id))
    return render_template("portal/endpoints/event.html", one=one, event_id=str(event_id), posts=posts)


@portal.post(f"{ONE}/test")
@needs("tenants:write")
def test_endpoint(tenant_id: UUID, endpoint_id: UUID) -> Response:
    try:
        event_id = actions.test(tenant_pool(), tenant().id, str(endpoint_id))
    except ApiError as error:
        flash(error.message, "danger")
        return redirect(_page(str(endpoint_id)))
    flash(_("The test is on its way. What became of it stands here in a moment; load the page again."), "success")
    return redirect(url_for(".endpoint_event", tenant_id=tenant_id, endpoint_id=endpoint_id, event_id=event_id))


@portal.post(f"{ONE}/secret")
@needs("tenants:write")
@recent
def rotate_endpoint(tenant_id: UUID, endpoint_id: UUID) -> Response:
    secret = actions.rotate(tenant_pool(), tenant().id, str(endpoint_id))[0]
    shown_once.keep(str(endpoint_id), secret)
    flash(_("For 24 hours each event is signed with the new secret and with the former one."), "success")
    return redirect(_page(str(endpoint_id)))


@portal.post(f"{ONE}/switch")
@needs("tenants:write")
@recent
def switch_endpoint(tenant_id: UUID, endpoint_id: UUID) -> Response:
    on = request.form.get("active") == "true"
    actions.change(tenant_pool(), tenant().id, str(endpoint_id), {"active": on})
    flash(_("It is told again.") if on else _("It is told nothing from now on."), "success")
    return redirect(_page(str(endpoint_id)))


@portal.post(f"{ONE}/delete")
@needs("tenants:write")
@recent
def delete_endpoint(tenant_id: UUID, endpoint_id: UUID) -> Response:
    registry.delete(tenant_pool(), by(), tenant().id, str(endpoint_id))
    flash(_("The endpoint is deleted."), "success")
    return redirect(url_for(".endpoints", tenant_id=tenant_id))


@portal.post(f"{ONE}/replay")
@needs("messages:replay")
def replay_endpoint(tenant_id: UUID, endpoint_id: UUID) -> Response:
    count = log.replay(tenant_pool(), by(), tenant().id, _own(endpoint_id).id, None)
    flash(
        _n(
            "%(num)s dead letter will be told again, for another day.",
            "%(num)s dead letters will be told again, for another day.",
            count,
        ),
        "success",
    )
    return redirect(url_for(".endpoint", tenant_id=tenant_id, endpoint_id=endpoint_id, state="waiting"))


def _own(endpoint_id: UUID) -> TenantEndpoint:
    """Raises NotFoundError."""
    return registry.get(tenant_pool(), tenant().id, str(endpoint_id))


def _page(endpoint_id: str) -> str:
    return url_for(".endpoint", tenant_id=tenant().id, endpoint_id=endpoint_id)


def _values(form: EndpointForm) -> dict[str, Any]:
    return {
        "url": form.url.data, "name": form.name.data or "", "kinds": form.kinds.data, "contents": form.contents.data
    }  # fmt: skip


def _refused(form: EndpointForm, error: ApiError, one: TenantEndpoint | None = None) -> PageResponse:
    if error.status == 400:
        form.url.errors = [*form.url.errors, f"It {error.details[0]['message']}."]
    else:
        flash(error.message, "danger")
    return _form(form, one)


def _form(form: EndpointForm, one: TenantEndpoint | None) -> PageResponse:
    page = render_template("portal/endpoints/form.html", form=form, one=one)
    return (page, 400) if request.method == "POST" else page
