"""Log in, log out. Wrong passwords are counted per user and lock the account for longer and longer."""

from __future__ import annotations

import structlog
from flask import flash, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField, SubmitField
from wtforms.validators import DataRequired, Length

from db import sessions, users
from db.lineage import Maker
from db.passwords import LONGEST
from db.users import User
from web import limits, passwords
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
            Maker("user", self.user.id, self.user.rights_version),
        )


class LoginForm(FlaskForm):
    email = StringField("E-mail address", validators=[DataRequired(), Length(max=254)])
    password = PasswordField("Password", validators=[DataRequired(), Length(max=LONGEST)])
    submit = SubmitField("Log in")


@manager.user_loader
def _holder(token: str) -> LoggedIn | None:
    # A page that keeps itself fresh is nobody's doing: left open, it ends like any other.
    user = sessions.user_of(parts().pool, token, seen=request.headers.get("X-Fragment") != "1")
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
    """Log in. One answer for everything that is wrong, a locked account included. Raises ApiError 429."""
    limits.guess(email)
    user = users.by_email(parts().pool, email)
    if not is_password(user, password) or user is None or user.status != "active":
        log.warning("login_refused", user=user.id if user else None)
        return False
    limits.guessed_right(email)
    session.clear()
    session.permanent = True
    login_user(LoggedIn(user, sessions.begin(parts().pool, user, request.user_agent.string)))
    return True


def is_password(user: User | None, password: str) -> bool:
    """Counted as wrong until it is known to be right, and not looked at while the account is locked."""
    failures = None if user is None else users.guess(parts().pool, user.id)
    right = passwords.matches(None if user is None or failures is None else user.password_hash, password)
    if user is not None and failures is not None and not right:
        users.guessed_wrong(parts().pool, user, failures)
    return right


def _next() -> str | None:
    """Where the person wanted to go: a page of the portal and nowhere else."""
    wanted = request.args.get("next", "")
    plain = wanted.startswith("/portal/") and not any(c in wanted for c in "\\\r\n")
    return wanted if plain else None
