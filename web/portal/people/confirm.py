"""Before secrets, keys and users change, their person shows once more who they are: views marked `recent` ask for it.

A page is asked about before it is shown. A form that was filled in for too long is asked about when it is sent: what
was typed travels along, sealed, and counts once the password or the code was right.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app, g, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response
from wtforms import PasswordField, SubmitField
from wtforms.validators import DataRequired, Length

from db.access import second_factor, sessions
from db.access.passwords import LONGEST
from db.access.users import User
from db.sealing import SealError
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _, _l
from web.portal.people import entrance
from web.portal.people.login import is_code, is_password
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import ANYONE, needs

SECONDS = 600
"""How long a proof counts."""
HELD_SECONDS = 900
HELD = "proof_held"
"""The field with what was typed in the form that was sent too late."""
WRONG = _l("This is not right. After five wrong tries none is looked at for a while.")


class ProofForm(FlaskForm):
    proof = PasswordField(
        _l("Your password"),
        validators=[DataRequired(_l("Enter it to go on.")), Length(max=LONGEST)],
        render_kw={"autocomplete": "current-password", "autofocus": True},
    )
    go_on = SubmitField(_l("Go on"))


@portal.before_request
def ask_again() -> Response | tuple[str, int] | None:
    """Runs after the guard."""
    view = current_app.view_functions.get(request.endpoint or "")
    return asked() if getattr(view, "recent", False) and "principal" in g else None


def asked() -> Response | tuple[str, int] | None:
    """The page that asks; None for whoever has shown it lately, or with this very request."""
    lately = current_user.session.proved_at > datetime.now(UTC) - timedelta(seconds=SECONDS)
    if lately and HELD in request.form:  # shown meanwhile, in another window or by a second click
        request.form = _opened(request.form[HELD])
    if lately:
        return None
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("portal.confirm", next=request.full_path.rstrip("?")))
    if request.headers.get("X-Fragment") == "1":
        return Response(status=403, headers={"X-Proof": "needed"})  # the script sends the whole form then
    if HELD in request.form:
        return _go_on_with_what_was_typed()
    return _page(ProofForm(None), _sealed(request.form)), 403


@portal.route("/confirm", methods=["GET", "POST"])
@needs(ANYONE)
def confirm() -> str | Response | tuple[str, int]:
    """Before a page that may change something is shown."""
    form = ProofForm()
    if form.validate_on_submit() and _proved(form):
        return redirect(entrance.wanted_page() or url_for("portal.home"))
    return (_page(form, None), 400) if form.errors else _page(form, None)


def _go_on_with_what_was_typed() -> tuple[str, int] | None:
    form, held = ProofForm(), request.form[HELD]
    typed = _opened(held)
    if not form.validate_on_submit() or not _proved(form):
        return _page(form, held), 400
    # The view reads the form it was made for.
    request.form = typed
    return None


def _proved(form: ProofForm) -> bool:
    if is_proof(current_user.user, form.proof.data or ""):
        sessions.prove(web_context().pool, current_user.session.id)
        return True
    form.proof.errors = [WRONG]
    return False


def is_proof(user: User, given: str) -> bool:
    """Six digits are a code of the app for whoever has one, all else the password. Raises ApiError 429."""
    code = second_factor.plain(given)
    if user.second_factor and len(code) == 6 and code.isascii() and code.isdigit():
        return is_code(user, code)
    return is_password(user, given)


def _page(form: ProofForm, held: str | None) -> str:
    if current_user.user.second_factor:
        form.proof.label.text = _("Your password, or a code from your authenticator app")
    return render_template("portal/confirm.html", form=form, held=held, name=HELD, minutes=SECONDS // 60)


def _sealed(form: Any) -> str:
    return web_context().cipher.seal(
        {
            "user": current_user.user.id,
            "path": request.full_path,
            "form": form.to_dict(flat=False),
            "until": time.time() + HELD_SECONDS,
        }
    )


def _opened(sealed: str) -> ImmutableMultiDict[str, str]:
    """What this person typed in this form a moment ago. Raises ApiError 400 for all else."""
    try:
        held = web_context().cipher.open(sealed)
    except SealError:
        held = {}
    same = held.get("user") == current_user.user.id and held.get("path") == request.full_path
    if not same or held.get("until", 0) < time.time():
        raise ApiError(400, "bad_request", _("that took too long; fill the form in once more"))
    return ImmutableMultiDict([(name, value) for name, values in held["form"].items() for value in values])
