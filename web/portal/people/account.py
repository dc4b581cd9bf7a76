"""One's own account: password, and the browsers that are logged in."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, SelectField, SubmitField
from wtforms.validators import DataRequired, EqualTo, Length, ValidationError

from db.access import second_factor, sessions, user_news, users
from db.access.passwords import LONGEST, SHORTEST
from db.access.users import User
from db.tenants import registry
from db.tenants.changes import NotFoundError
from relay.core.conditions.confirming import must_confirm
from relay.core.languages import LANGUAGES
from web.portal.frame import browser
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _, _l, _n
from web.portal.people import entrance, wishes
from web.portal.people.login import is_password
from web.request import limits, passwords
from web.request.context import web_context
from web.request.principal import ANYONE, by, needs

RULE = _l(
    "At least %(shortest)s characters. A few words that only you would put together are best, "
    "without your name and your organisation's.",
    shortest=SHORTEST,
)

WRONG = _l("This is not your current password. After five wrong tries none is looked at for a while.")


class PasswordForm(FlaskForm):
    current = PasswordField(_l("Current password"), validators=[DataRequired(), Length(max=LONGEST)])
    new = PasswordField(
        _l("New password"),
        description=RULE,
        validators=[DataRequired(), Length(max=LONGEST)],
    )
    again = PasswordField(
        _l("New password again"), validators=[DataRequired(), EqualTo("new", message="These two are not the same.")]
    )
    submit = SubmitField(_l("Change password"))

    def validate_new(self, field: PasswordField) -> None:
        if field.data == self.current.data:
            raise ValidationError(_("This is the password you have; choose another one."))
        limits.new_password()
        if weak := passwords.weakness(field.data, _own_words(current_user.user)):
            raise ValidationError(weak)


def _offered() -> dict[str, str]:
    """Each in its own language; first the one that holds without a choice."""
    tenant = current_user.session.tenant_language
    return {"": _("As your organisation") if tenant else _("As your browser"), **LANGUAGES}


class LanguageForm(FlaskForm):
    language = SelectField(_l("Language"), choices=_offered, default="")


@portal.get("/account")
@needs(ANYONE)
def account() -> str:
    return _page(PasswordForm())


@portal.post("/account/password")
@needs(ANYONE)
def change_password() -> str | Response | tuple[str, int]:
    """Every other browser is logged out."""
    form, user = PasswordForm(), current_user.user
    if not form.validate_on_submit():
        return _page(form), 400
    if not is_password(user, form.current.data):
        form.current.errors = [WRONG]
        return _page(form), 400
    holder, hashed = current_user.session, passwords.hashed(form.new.data)
    users.set_password(web_context().pool, by(), user, hashed, must_change=False, session_id=holder.id)
    browser.renew(second_factor=holder.second_factor)
    flash(_("Your password is changed. All other browsers are logged out."), "success")
    return redirect(url_for("portal.account"))


@portal.post("/account/language")
@needs(ANYONE)
def change_language() -> str | Response | tuple[str, int]:
    form = LanguageForm()
    if not form.validate_on_submit():
        return _page(PasswordForm(formdata=None), form), 400
    users.set_language(web_context().pool, current_user.user.id, form.language.data or None)
    return redirect(url_for("portal.account") + "#language")


@portal.post("/account/news/<uuid:last>/read")
@needs(ANYONE)
def read_news(last: UUID) -> Response:
    """Leads back to the page on which they were read."""
    user_news.read(web_context().pool, current_user.user.id, str(last))
    return redirect(entrance.wanted_page() or url_for("portal.account"))


@portal.post("/account/sessions/<uuid:session_id>/end")
@needs(ANYONE)
def end_own_session(session_id: UUID) -> Response:
    if not sessions.end_one(web_context().pool, by(), current_user.user, str(session_id)):
        raise NotFoundError(_("there is no such browser of yours; it may be logged out already"))
    flash(_("This browser is logged out."), "success")
    return redirect(url_for("portal.account"))


@portal.post("/account/sessions/end")
@needs(ANYONE)
def end_sessions() -> Response:
    count = sessions.end_all(web_context().pool, by(), current_user.user)
    flash(
        _n(
            "%(num)s browser is logged out, this one included.",
            "%(num)s browsers are logged out, this one included.",
            count,
        )
    )
    return redirect(url_for("portal.login"))


def _own_words(user: User) -> list[str]:
    """What somebody who knows the person would try first."""
    tenant = registry.get(web_context().pool, user.tenant_id) if user.tenant_id else None
    return [user.name, user.email, tenant.name if tenant else "", tenant.contact if tenant else ""]


def _page(form: PasswordForm, language_form: LanguageForm | None = None) -> str:
    user = current_user.user
    told_form, told = wishes.filled(user)
    return render_template(
        "portal/account.html",
        language_form=language_form or LanguageForm(formdata=None, language=user.language or ""),
        told_form=told_form,
        told=told,
        must_confirm=must_confirm(user.tenant_id, confirmed=told.confirmed),
        zones=wishes.zones(),
        mail=web_context().mail is not None,
        form=form,
        sessions=sessions.listed(web_context().pool, user.id),
        codes_left=second_factor.recovery_codes_left(web_context().pool, user.id),
        demanded=current_user.session.demanded,
    )
