"""Log in with address and password, log out. Wrong guesses are counted per account and device, and lock both."""

from __future__ import annotations

import structlog
from flask import flash, redirect, render_template, session, url_for
from flask_login import current_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField, SubmitField
from wtforms.validators import DataRequired, Length

from db.access import guesses, password_rules, second_factor, sessions, users
from db.access.guesses import Guess
from db.access.passwords import LONGEST
from db.access.users import User
from web.portal.frame.blueprint import portal, public
from web.portal.frame.language import _, _l
from web.portal.people import entrance
from web.request import devices, limits, passwords, refusals
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import ANYONE, needs

log = structlog.get_logger(__name__)
WRONG = _l("This address and password do not belong together. After five wrong tries this device has to wait a while.")
OVER = _l(
    "This password was given to you by somebody else and was good for %(hours)s hours, which are over. "
    "Ask whoever gave it to you, or the operator, for a new one.",
    hours=users.ONE_TIME_HOURS,
)
WRONG_CODE = _l(
    "This code is not right, or was used before. Wait for the next one, and look at the clock of your device."
)
FORBIDDEN = _l("Passwords are switched off for you. Log in through your organisation's provider.")


class LoginForm(FlaskForm):
    email = StringField("E-mail address", validators=[DataRequired(), Length(max=254)])
    password = PasswordField(_l("Password"), validators=[DataRequired(), Length(max=LONGEST)])
    submit = SubmitField(_l("Log in"))


class CodeForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Six digits from your authenticator app; or one of your recovery codes."),
        validators=[DataRequired(_l("Enter the code.")), Length(max=40)],
        render_kw={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"},
    )
    submit = SubmitField(_l("Log in"))


@portal.route("/login", methods=["GET", "POST"])
@public
def login() -> str | Response | tuple[str, int]:
    if current_user.is_authenticated:
        return redirect(url_for("portal.home"))
    form = LoginForm()
    if not form.validate_on_submit():
        return render_template("portal/login.html", form=form)
    user = _known(form.email.data.strip(), form.password.data)
    if user is not None and not user.password_over:
        return entrance.proved(user, entrance.wanted_page())
    # That a password is over is told to nobody who does not know it.
    form.password.errors = [WRONG if user is None else OVER]
    return render_template("portal/login.html", form=form), 401


@portal.route("/login/code", methods=["GET", "POST"])
@public
def login_code() -> str | Response | tuple[str, int]:
    """The second step, for whoever has a second factor."""
    user, form = entrance.half_way(), CodeForm()
    if user is None:
        flash(str(entrance.CHANGED), "warning")
        return redirect(url_for("portal.login", next=entrance.wanted_page()))
    if not form.validate_on_submit():
        return render_template("portal/login_code.html", form=form, email=user.email)
    if is_code(user, form.code.data):
        return entrance.admitted(user, entrance.wanted_page(), second_factor=True)
    form.code.errors = [WRONG_CODE]
    return render_template("portal/login_code.html", form=form, email=user.email), 401


@portal.post("/logout")
@needs(ANYONE)
def logout() -> Response:
    sessions.end(web_context().pool, current_user.token)
    logout_user()
    session.clear()
    flash(_("You are logged out."))
    return redirect(url_for("portal.login"))


def _known(email: str, password: str) -> User | None:
    """One answer for everything that is wrong, a locked account included. Raises ApiError 429."""
    limits.guess(email)
    user = users.by_email(web_context().pool, email)
    if not _matches(user, password) or user is None or user.status != "active":
        log.warning("login_refused", user=user.id if user else None, what="password")
        refusals.login(user, "password")
        return None
    limits.guessed_right(email)
    _check_passwords_admit(user)
    return user


def _check_passwords_admit(user: User) -> None:
    """Told to nobody who does not know the password. Raises ApiError 403."""
    if not password_rules.admits(web_context().pool, user, installation=web_context().openid.passwords):
        log.warning("password_forbidden", user=user.id)
        raise ApiError(403, "passwords_forbidden", str(FORBIDDEN))


def is_password(user: User, password: str) -> bool:
    """Of somebody who is logged in, counted as at the log-in. Raises ApiError 429."""
    limits.guess(user.email)
    return _noted(user, _matches(user, password), "password")


def _matches(user: User | None, password: str) -> bool:
    """Counted as wrong until it is known to be right, and not looked at while the account is locked."""
    guess = None if user is None else guesses.begin(web_context().pool, user.id, devices.asking(user.email))
    right = passwords.matches(None if user is None or guess is None else user.password_hash, password)
    _judged(user, guess, right)
    return right


def is_code(user: User, code: str) -> bool:
    """A code of the second factor, counted as passwords are. Raises ApiError 429."""
    limits.guess(user.email)
    guess = guesses.begin(web_context().pool, user.id, devices.asking(user.email))
    right = guess is not None and second_factor.accept(web_context().pool, web_context().cipher, user, code)
    _judged(user, guess, right)
    return _noted(user, right, "code")


def _noted(user: User, right: bool, what: str) -> bool:
    if right:
        limits.guessed_right(user.email)
    else:
        log.warning("login_refused", user=user.id, what=what)
        refusals.login(user, what)
    return right


def _judged(user: User | None, guess: Guess | None, right: bool) -> None:
    if user is None or guess is None:
        return
    if right:
        guesses.right(web_context().pool, user, guess)
    else:
        guesses.wrong(web_context().pool, user, guess)
