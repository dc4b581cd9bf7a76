"""API keys of a tenant, and the operator's own: list, make, revoke. The same pages for both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response
from wtforms import SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from db.access import api_keys
from db.access.api_keys import ApiKey
from db.tenants.changes import NotFoundError
from web.api.tenants.schemas import Name
from web.portal.frame import filters, shown_once
from web.portal.frame.blueprint import portal, recent
from web.portal.frame.language import _, _l, _n, offered
from web.portal.frame.page_owner import place
from web.portal.people.line_choice import LineChoice
from web.portal.wizard.forms import AcceptedBy, stripped
from web.request import access
from web.request.principal import OF_LINES, OPERATOR, SCOPES, by, needs

PAGE = 50
LIFE = {"30": _l("30 days"), "90": _l("90 days"), "365": _l("a year"), "730": _l("two years")}
PageResponse = str | Response | tuple[str, int]


class KeyForm(LineChoice):
    name = StringField(
        _l("Name"),
        description=_l("What it is for: a program and a place, such as “Shop, production”."),
        validators=[DataRequired(_l("Give it a name by which it is known later.")), Length(max=120), AcceptedBy(Name)],
        filters=[stripped],
    )
    days = SelectField(_l("Good for"), choices=offered(LIFE), default="365")
    scopes = SelectMultipleField(_l("What it may do"), validators=[DataRequired(_l("Choose at least one."))])

    def validate_scopes(self, field: SelectMultipleField) -> None:
        wider = sorted(set(field.data or ()) - OF_LINES)
        if self.reach.data == "some" and wider:
            raise ValidationError(_("A key for some lines cannot have %(scopes)s.", scopes=", ".join(wider)))


@portal.get("/tenants/<uuid:tenant_id>/keys")
@needs("access:read")
def keys(tenant_id: UUID) -> str:
    return _listed()


@portal.get("/operator/keys")
@needs(OPERATOR)
def operator_keys() -> str:
    return _listed()


@portal.route("/tenants/<uuid:tenant_id>/keys/new", methods=["GET", "POST"])
@needs("access:write")
@recent
def new_key(tenant_id: UUID) -> PageResponse:
    return _make()


@portal.route("/operator/keys/new", methods=["GET", "POST"])
@needs(OPERATOR)
@recent
def new_operator_key() -> PageResponse:
    return _make()


@portal.route("/tenants/<uuid:tenant_id>/keys/<uuid:key_id>/revoke", methods=["GET", "POST"])
@needs("access:write")
@recent
def revoke_key(tenant_id: UUID, key_id: UUID) -> PageResponse:
    return _revoke(str(key_id))


@portal.route("/operator/keys/<uuid:key_id>/revoke", methods=["GET", "POST"])
@needs(OPERATOR)
@recent
def revoke_operator_key(key_id: UUID) -> PageResponse:
    return _revoke(str(key_id))


def _listed() -> str:
    where = place()
    found = api_keys.listed(where.pool, where.tenant_id, PAGE + 1, filters.after(), access.root())
    more = where.url("keys", "operator_keys", after=found[PAGE - 1].id) if len(found) > PAGE else None
    return render_template(
        "portal/keys.html",
        place=where, found=found[:PAGE], more=more, standing=_standing, scopes=SCOPES, secret=shown_once.take("key"),
    )  # fmt: skip


def _standing(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        return "expired"
    return "active" if key.holds else "ended"


def _make() -> PageResponse:
    where, form = place(), KeyForm(reach="all")
    form.offer(where)
    form.scopes.choices = {scope: SCOPES[scope] for scope in access.grantable()}
    if form.validate_on_submit():
        until = datetime.now(UTC) + timedelta(days=int(form.days.data))
        made, secret = access.make_key(
            where.pool, where.tenant_id, form.name.data.strip(), form.scopes.data, until, form.chosen()
        )
        shown_once.keep("key", secret)
        flash(_("The key “%(name)s” is made.", name=made.name), "success")
        return redirect(where.url("keys", "operator_keys"))
    answer = render_template("portal/key_new.html", place=where, form=form)
    return (answer, 400) if request.method == "POST" else answer


def _revoke(key_id: str) -> PageResponse:
    """Asks first, and shows what ends with it: programs stop working at once, and nothing brings a key back."""
    where = place()
    key = api_keys.get(where.pool, where.tenant_id, key_id, access.root())
    if key is None:
        raise NotFoundError(_("there is no such key"))
    if request.method == "POST":
        ended = api_keys.revoke(where.pool, by(), where.tenant_id, key_id)[1]
        text = _("The key “%(name)s” is revoked. It admits nobody any more.", name=key.name)
        if ended:
            text += " " + _n(
                "With it ended %(num)s key made with it.", "With it ended %(num)s keys made with it.", len(ended)
            )
        flash(text, "success")
        return redirect(where.url("keys", "operator_keys"))
    ending = access.ending_with_key(where.pool, key_id)
    return render_template("portal/key_revoke.html", place=where, key=key, standing=_standing, ending=ending)
