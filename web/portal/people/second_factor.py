"""One's own second factor: set up with an authenticator app, recovery codes that are shown once, taken away again."""

from __future__ import annotations

import time

import segno
from flask import flash, redirect, render_template, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from db.access import second_factor
from db.sealing import SealError
from web.portal.frame import browser, shown_once
from web.portal.frame.blueprint import portal, recent
from web.portal.frame.language import _, _l
from web.portal.people.login import CodeForm
from web.request.context import web_context
from web.request.principal import ANYONE, by, needs

NAME = "new_factor"
SECONDS = 1800
"""How long a secret that no code has proved yet stays the same: somebody has to find a phone and an app first."""
SHOWN = "recovery codes"
WRONG = _l(
    "This is not the code that your app should show now. Is the time of your phone right? If you have entered another "
    "key before, delete that entry in the app."
)


class SetUpForm(CodeForm):
    """The code that proves that the app has the key."""


@portal.route("/account/second-factor", methods=["GET", "POST"])
@needs(ANYONE)
@recent
def set_up_factor() -> str | Response | tuple[str, int]:
    """A new app, also in place of the one that there is. In force as soon as a code of it was right."""
    secret, form = _secret(), SetUpForm()
    form.code.description = _("Six digits, new every half minute.")
    form.submit.label.text = _("Switch on")
    if not form.validate_on_submit():
        return _page(secret, form)
    step = second_factor.step_of(secret, second_factor.plain(form.code.data))
    if step is None:
        form.code.errors = [WRONG]
        return _page(secret, form), 400
    holder = current_user.session
    due = holder.demanded and not holder.second_factor
    codes = second_factor.set_up(
        web_context().pool, web_context().cipher, by(), holder.user, secret, step, holder.id, by_choice=not due
    )
    browser.renew(second_factor=True)
    flash(_("Your second factor is on. All other browsers are logged out."), "success")
    return _shown(codes)


@portal.get("/account/recovery-codes")
@needs(ANYONE)
def recovery_codes() -> str | Response:
    """Just made, and shown this once."""
    codes = shown_once.take(SHOWN)
    if codes is None:
        return redirect(url_for("portal.account"))
    return render_template("portal/recovery_codes.html", codes=codes.splitlines())


@portal.post("/account/recovery-codes")
@needs(ANYONE)
@recent
def renew_recovery_codes() -> Response:
    holder = current_user.session
    if not holder.user.second_factor:
        return redirect(url_for("portal.set_up_factor"))
    return _shown(second_factor.renew_recovery_codes(web_context().pool, by(), holder.user))


@portal.post("/account/second-factor/remove")
@needs(ANYONE)
@recent
def remove_factor() -> Response:
    holder = current_user.session
    if holder.demanded:
        flash(_("Your account needs a second factor. You can set it up anew with another app."), "danger")
    elif holder.user.second_factor:
        second_factor.remove(web_context().pool, by(), holder.user, holder.id)
        browser.renew(second_factor=False)
        flash(_("Your second factor is off. All other browsers are logged out."), "success")
    return redirect(url_for("portal.account"))


def _shown(codes: list[str]) -> Response:
    shown_once.keep(SHOWN, "\n".join(codes))
    return redirect(url_for("portal.recovery_codes"))


def _page(secret: str, form: SetUpForm) -> str:
    picture = segno.make(second_factor.app_url(secret, current_user.user.email))
    groups = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    return render_template(
        "portal/second_factor.html",
        form=form,
        key=groups,
        # On white whatever the page's colours are: cameras want it so.
        picture=picture.svg_data_uri(scale=5, border=4, light="#fff"),
        due=current_user.session.demanded and not current_user.session.second_factor,
    )


def _secret() -> str:
    """The one that this browser has been shown, or a new one. Sealed, in its cookie, until a code has proved it."""
    user_id = current_user.user.id
    try:
        held = web_context().cipher.open(session.get(NAME, ""))
    except SealError:  # none, or sealed with a key that is gone meanwhile
        held = {}
    if held.get("user") == user_id and time.time() < held.get("until", 0):
        return str(held["secret"])
    secret = second_factor.new_secret()
    session[NAME] = web_context().cipher.seal({"user": user_id, "secret": secret, "until": time.time() + SECONDS})
    return secret
