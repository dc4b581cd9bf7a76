"""Users of a tenant, and the operators: invite, change, new password, log out, unlock. The same pages for both."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import EmailField, IntegerField, RadioField, StringField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import HiddenInput

from db.access import guesses, sessions, users
from db.access.users import User
from db.tenants import registry
from db.tenants.changes import TakenError
from web.api.tenants.schemas import Name
from web.portal.frame import filters, shown_once
from web.portal.frame.blueprint import portal, recent, tenant
from web.portal.frame.language import _, _l, _n, offered
from web.portal.frame.page_owner import PageOwner, place
from web.portal.frame.words import sentence
from web.portal.people.line_choice import LineChoice
from web.portal.wizard.forms import AcceptedBy, stripped
from web.request import access
from web.request.context import changes
from web.request.errors import ApiError
from web.request.principal import OPERATOR, by, needs

PAGE = 50
ROLES = {
    "admin": _l("sets up lines and credentials, replays, invites people"),
    "viewer": _l("sees messages and conversations, changes nothing"),
    "operator": _l("sees and changes everything, of every tenant"),
}
PageResponse = str | Response | tuple[str, int]


class InviteForm(LineChoice):
    name = StringField(
        _l("Name"), [DataRequired(_l("Say what this person is called.")), Length(max=120), AcceptedBy(Name)], [stripped]
    )
    email = EmailField(
        "E-mail address", validators=[DataRequired(_l("The address is what they log in with.")), Length(max=254)]
    )
    role = RadioField(_l("Role"))


class ChangeForm(LineChoice):
    """`seen`: which version of their rights the form shows."""

    seen = IntegerField(widget=HiddenInput())
    name = StringField(
        _l("Name"), [DataRequired(_l("Say what this person is called.")), Length(max=120), AcceptedBy(Name)], [stripped]
    )
    role = RadioField(_l("Role"))
    status = RadioField(_l("Access"), choices=offered({"active": _l("may log in"), "disabled": _l("may not log in")}))


@portal.get("/tenants/<uuid:tenant_id>/users", endpoint="users")
@needs("access:read")
def users_page(tenant_id: UUID) -> str:
    return _listed()


@portal.post("/tenants/<uuid:tenant_id>/users/second-factor")
@needs("access:write")
@recent
def demand_second_factor(tenant_id: UUID) -> Response:
    """Of all of the tenant's people, or of nobody."""
    demanded = request.form.get("demanded") == "true"
    registry.demand_second_factor(changes(), by(), tenant().id, demanded)
    said = (
        _("Everybody needs a second factor now.") if demanded else _("Each person may have a second factor, or none.")
    )
    flash(said, "success")
    return redirect(place().url("users", "operators"))


@portal.get("/operators")
@needs(OPERATOR)
def operators() -> str:
    return _listed()


@portal.route("/tenants/<uuid:tenant_id>/users/new", methods=["GET", "POST"])
@needs("access:write")
@recent
def new_user(tenant_id: UUID) -> PageResponse:
    return _invite()


@portal.route("/operators/new", methods=["GET", "POST"])
@needs(OPERATOR)
@recent
def new_operator() -> PageResponse:
    return _invite()


@portal.get("/tenants/<uuid:tenant_id>/users/<uuid:user_id>")
@needs("access:read")
def user(tenant_id: UUID, user_id: UUID) -> PageResponse:
    return _shown(user_id)


@portal.get("/operators/<uuid:user_id>")
@needs(OPERATOR)
def operator(user_id: UUID) -> PageResponse:
    return _shown(user_id)


@portal.post("/tenants/<uuid:tenant_id>/users/<uuid:user_id>")
@needs("access:write")
@recent
def change_user(tenant_id: UUID, user_id: UUID) -> PageResponse:
    return _change(user_id)


@portal.post("/operators/<uuid:user_id>")
@needs(OPERATOR)
@recent
def change_operator(user_id: UUID) -> PageResponse:
    return _change(user_id)


@portal.post("/tenants/<uuid:tenant_id>/users/<uuid:user_id>/<any(password, logout, unlock, factor):action>")
@needs("access:write")
@recent
def user_action(tenant_id: UUID, user_id: UUID, action: str) -> Response:
    return _act(user_id, action)


@portal.post("/operators/<uuid:user_id>/<any(password, logout, unlock, factor):action>")
@needs(OPERATOR)
@recent
def operator_action(user_id: UUID, action: str) -> Response:
    return _act(user_id, action)


@portal.post("/tenants/<uuid:tenant_id>/users/<uuid:user_id>/sessions/<uuid:session_id>/end")
@needs("access:write")
def end_user_session(tenant_id: UUID, user_id: UUID, session_id: UUID) -> Response:
    return _end_session(user_id, session_id)


@portal.post("/operators/<uuid:user_id>/sessions/<uuid:session_id>/end")
@needs(OPERATOR)
def end_operator_session(user_id: UUID, session_id: UUID) -> Response:
    return _end_session(user_id, session_id)


def _listed() -> str:
    where = place()
    found = users.listed(where.pool, where.tenant_id, PAGE + 1, filters.after())
    more = where.url("users", "operators", after=found[PAGE - 1].id) if len(found) > PAGE else None
    return render_template("portal/users.html", place=where, found=found[:PAGE], more=more, **_words())


def _words() -> dict[str, object]:
    return {"now": datetime.now(UTC), "roles": ROLES, "locked": _locked}


def _locked(user: User) -> bool:
    return user.locked_until is not None and user.locked_until > datetime.now(UTC)


def _roles(where: PageOwner) -> dict[str, str]:
    names = access.ROLES_OF_TENANT if where.tenant_id is not None else ("operator",)
    return {name: name for name in names}


def _invite() -> PageResponse:
    where, form = place(), InviteForm()
    form.role.choices = _roles(where)
    form.offer(where)
    if request.method == "GET":
        form.role.data = list(form.role.choices)[-1]
        form.fill(None)
    if form.validate_on_submit():
        try:
            made, password = access.invite(
                where.pool,
                where.tenant_id,
                form.email.data.strip(),
                form.name.data.strip(),
                form.role.data,
                form.chosen(),
            )
        except (ApiError, TakenError) as error:
            form.email.errors = [_said(error)]
        else:
            shown_once.keep(made.id, password)
            return redirect(where.url("user", "operator", user_id=made.id))
    answer = render_template("portal/user_new.html", place=where, form=form, **_words())
    return (answer, 400) if form.errors or form.email.errors else answer


def _said(error: Exception) -> str:
    """Beside the field of the address, so that it need not be named."""
    text = str(error).removeprefix("`email` ")
    return sentence(f"this {text}" if text.startswith("is ") else text)


def _shown(user_id: UUID, form: ChangeForm | None = None) -> PageResponse:
    where = place()
    found = access.user_of(where.pool, where.tenant_id, str(user_id))
    answer = render_template(
        "portal/user.html",
        place=where, user=found, form=form or _filled(where, found), secret=shown_once.take(found.id),
        browsers=sessions.listed(where.pool, found.id), own=_own(found),
        ending=access.ending_with_user(where.pool, found.id), locks=guesses.locks(where.pool, found.id), **_words(),
    )  # fmt: skip
    return (answer, 400) if form else answer


def _filled(where: PageOwner, found: User) -> ChangeForm:
    form = ChangeForm(formdata=None, name=found.name, role=found.role, status=found.status, seen=found.rights_version)
    form.role.choices = _roles(where)
    form.offer(where, found.line_ids)
    form.fill(found.line_ids)
    return form


def _own(found: User) -> bool:
    return bool(found.id == current_user.user.id)


def _change(user_id: UUID) -> PageResponse:
    """Nobody takes his own rights away: there may be nobody left to give them back."""
    where, form = place(), ChangeForm()
    form.role.choices = _roles(where)
    found = access.user_of(where.pool, where.tenant_id, str(user_id))
    form.offer(where, found.line_ids)
    if _own(found):
        form.role.data, form.status.data = found.role, found.status
        form.fill(found.line_ids)
    if not form.validate_on_submit():
        return _shown(user_id, form)
    try:
        access.change_user(
            where.pool, where.tenant_id, found.id, name=form.name.data.strip(), role=form.role.data,
            status=form.status.data, line_ids=form.chosen(found.line_ids), seen=form.seen.data,
        )  # fmt: skip
        flash(_("Saved."), "success")
    except TakenError as error:
        if error.code != "changed_meanwhile":
            raise
        flash(
            _("Nothing was saved: somebody else has changed these rights meanwhile. This is how they are now."),
            "warning",
        )
    return redirect(where.url("user", "operator", user_id=found.id))


def _act(user_id: UUID, action: str) -> Response:
    where = place()
    found = access.user_of(where.pool, where.tenant_id, str(user_id))
    if action == "password":
        password = access.reset_password(where.pool, where.tenant_id, found.id)[1]
        shown_once.keep(found.id, password)
    elif action == "factor":
        access.reset_second_factor(where.pool, where.tenant_id, found.id)
        flash(_("The second factor is reset: the password is enough, until a new one is set up."), "success")
    elif action == "logout":
        count = access.end_sessions(where.pool, where.tenant_id, found.id)
        flash(_n("%(num)s browser logged out.", "%(num)s browsers logged out.", count), "success")
    else:
        guesses.unlock(where.pool, by(), found)
        flash("Unlocked. The next try to log in counts from the beginning.", "success")
    return redirect(where.url("user", "operator", user_id=found.id))


def _end_session(user_id: UUID, session_id: UUID) -> Response:
    where = place()
    access.end_session(where.pool, where.tenant_id, str(user_id), str(session_id))
    flash(_("This browser is logged out."), "success")
    return redirect(where.url("user", "operator", user_id=user_id))
