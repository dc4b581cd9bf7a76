"""One's own account: password, and the browsers that are logged in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, SubmitField
from wtforms.validators import DataRequired, EqualTo, Length

from db import passwords, sessions, users
from web.context import parts
from web.portal.blueprint import portal
from web.portal.login import LoggedIn
from web.principal import ANYONE, by, needs

RULE = f"At least {passwords.SHORTEST} characters. A few words that only you would put together are best."


class PasswordForm(FlaskForm):
    current = PasswordField("Current password", validators=[DataRequired(), Length(max=passwords.LONGEST)])
    new = PasswordField(
        "New password",
        description=RULE,
        validators=[DataRequired(), Length(min=passwords.SHORTEST, max=passwords.LONGEST)],
    )
    again = PasswordField(
        "New password again", validators=[DataRequired(), EqualTo("new", message="These two are not the same.")]
    )
    submit = SubmitField("Change password")


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
    if not passwords.matches(user.password_hash, form.current.data):
        users.failed(parts().pool, user.id)
        form.current.errors = ["This is not your current password."]
        return _page(form), 400
    users.set_password(parts().pool, by(), user, passwords.hashed(form.new.data), must_change=False)
    session.clear()
    session.permanent = True
    login_user(LoggedIn(user, sessions.begin(parts().pool, user, request.user_agent.string)))
    flash("Your password is changed. All other browsers are logged out.", "success")
    return redirect(url_for("portal.account"))


@portal.post("/account/sessions/end")
@needs(ANYONE)
def end_sessions() -> Response:
    count = sessions.end_all(parts().pool, by(), current_user.user)
    flash(f"{count} browsers are logged out, this one included.")
    return redirect(url_for("portal.login"))


def _page(form: PasswordForm) -> str:
    found = sessions.listed(parts().pool, current_user.user.id)
    return render_template("portal/account.html", form=form, sessions=found)
