"""Log in, log out. Wrong passwords are counted per user and lock the account for longer and longer."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from flask import flash, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField, SubmitField
from wtforms.validators import DataRequired, Length

from db import passwords, sessions, users
from db.users import User
from web.context import parts
from web.portal.blueprint import portal, public
from web.principal import ANYONE, ROLES, Principal, needs

log = structlog.get_logger(__name__)
WRONG = "This address and password do not belong together. After five wrong tries the account is locked for a while."

manager = LoginManager()


class LoggedIn(UserMixin):
    """A user with the token of this browser's session: that token is what the cookie holds."""

    def __init__(self, user: User, token: str) -> None:
        self.user = user
        self.token = token

    def get_id(self) -> str:
        return self.token

    @property
    def principal(self) -> Principal:
        kind = "operator" if self.user.role == "operator" else "tenant"
        return Principal(
            kind,  # type: ignore[arg-type]
            f"user:{self.user.id}",
            self.user.email,
            self.user.tenant_id,
            ROLES[self.user.role],
        )


class LoginForm(FlaskForm):
    email = StringField("E-mail address", validators=[DataRequired(), Length(max=254)])
    password = PasswordField("Password", validators=[DataRequired(), Length(max=passwords.LONGEST)])
    submit = SubmitField("Log in")


@manager.user_loader
def _holder(token: str) -> LoggedIn | None:
    user = sessions.user_of(parts().pool, token)
    return None if user is None else LoggedIn(user, token)


@portal.route("/login", methods=["GET", "POST"])
@public
def login() -> str | Response | tuple[str, int]:
    if current_user.is_authenticated:
        return redirect(url_for("portal.home"))
    form = LoginForm()
    if form.validate_on_submit():
        if _begin(form.email.data.strip(), form.password.data):
            return redirect(_next() or url_for("portal.home"))
        form.password.errors = [WRONG]
        return render_template("portal/login.html", form=form), 401
    return render_template("portal/login.html", form=form)


@portal.post("/logout")
@needs(ANYONE)
def logout() -> Response:
    sessions.end(parts().pool, current_user.token)
    logout_user()
    session.clear()
    flash("You are logged out.")
    return redirect(url_for("portal.login"))


def _begin(email: str, password: str) -> bool:
    """Log in, or count the failure. One answer for everything that is wrong, a locked account included."""
    pool = parts().pool
    user = users.by_email(pool, email) if "\x00" not in email else None
    locked = user is not None and user.locked_until is not None and user.locked_until > datetime.now(UTC)
    right = passwords.matches(None if user is None or locked else user.password_hash, password)
    if user is None or not right or user.status != "active":
        if user is not None and not locked:
            users.failed(pool, user.id)
        log.warning("login_refused", user=user.id if user else None, locked=locked)
        return False
    session.clear()
    session.permanent = True
    login_user(LoggedIn(user, sessions.begin(pool, user, request.user_agent.string)))
    return True


def _next() -> str | None:
    """Where the person wanted to go: a page of the portal and nowhere else."""
    wanted = request.args.get("next", "")
    plain = wanted.startswith("/portal/") and not any(c in wanted for c in "\\\r\n")
    return wanted if plain else None
