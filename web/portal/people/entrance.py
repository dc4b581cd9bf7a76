"""The way in. Whatever the first factor is, it ends in `proved`: then comes the second one where it is due, and then
the session begins.
"""

from __future__ import annotations

import time

from flask import flash, redirect, request, session, url_for
from flask_login import logout_user
from werkzeug.wrappers import Response

from db.access import users
from db.access.users import User
from web.portal.frame import browser
from web.portal.frame.language import _l
from web.request.context import web_context

NAME = "proved"
SECONDS = 300
"""How long the second factor may come after the first."""
CHANGED = _l("That took too long, or your account was changed meanwhile. Log in once more.")


def proved(user: User, wanted: str | None, *, second_factor: bool = False) -> Response:
    """Somebody has shown to be `user`, and wants to see the page `wanted`.

    `second_factor`: what they showed held one already, as with a provider that asked for it.
    """
    if not user.second_factor or second_factor:
        return admitted(user, wanted, second_factor=second_factor)
    session.clear()
    session[NAME] = {"user": user.id, "as_of": user.updated_at.isoformat(), "until": time.time() + SECONDS}
    return redirect(url_for("portal.login_code", next=wanted))


def half_way() -> User | None:
    """Who has shown the first factor in this browser, and owes the second. None when that is too long ago, or when
    the account has changed since.
    """
    held = session.get(NAME)
    if held is None or held["until"] < time.time():
        return None
    user = users.by_id(web_context().pool, held["user"])
    same = user is not None and user.status == "active" and user.updated_at.isoformat() == held["as_of"]
    return user if same else None


def admitted(user: User, wanted: str | None, *, second_factor: bool) -> Response:
    """All is proved: the session begins, and leads to what was wanted. The guard of the pages leads elsewhere first
    where something is still to be done.
    """
    if browser.begin(user, second_factor=second_factor):
        return redirect(wanted or url_for("portal.home"))
    logout_user()
    session.clear()
    flash(str(CHANGED), "warning")
    return redirect(url_for("portal.login", next=wanted))


def wanted_page() -> str | None:
    """Where the person wanted to go: a page of the portal and nowhere else."""
    wanted = request.args.get("next", "")
    plain = wanted.startswith("/portal/") and not any(c in wanted for c in "\\\r\n")
    return wanted if plain else None
