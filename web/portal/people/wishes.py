"""What somebody is told by e-mail when something is wrong: whether, when not, a test, and the link that confirms."""

from __future__ import annotations

from datetime import time
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

from flask import flash, redirect, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField, TimeField
from wtforms.validators import Length, Optional, ValidationError

from db.access.users import User
from db.conditions import addressees, confirming
from db.conditions.addressees import MailWishes
from db.conditions.mail_links import MailLinks
from relay.channels.mail import Mail, MailServer
from relay.core.conditions.confirming import CONFIRM_HOURS, must_confirm, question
from relay.core.conditions.digest import Digest
from relay.core.errors import SendError
from web.portal.frame import time_zone
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _, _l, translated
from web.portal.wizard.forms import stripped
from web.request import limits
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import ANYONE, needs

WANTED_BY = ("admin", "operator")
"""Who is told unless they say no."""
NO_SERVER = _l("There is no mail server: the operator has to set SMTP_URL.")


class WishesForm(FlaskForm):
    wanted = BooleanField(_l("Tell me by e-mail when something is wrong, and when it is over"))
    quiet_begin = TimeField(_l("Quiet from"), [Optional()])
    quiet_end = TimeField(_l("Quiet until"), [Optional()])
    zone = StringField(
        _l("Time zone"), [Length(max=time_zone.LONGEST)], [stripped], render_kw={"list": "zones", "autocomplete": "off"}
    )

    def validate_zone(self, field: StringField) -> None:
        if field.data not in available_timezones():
            raise ValidationError(_("Choose a time zone of the list, such as Europe/Berlin."))

    def validate_wanted(self, _field: BooleanField) -> None:
        """Here, since of an empty field nothing more is asked."""
        if (self.quiet_begin.data is None) != (self.quiet_end.data is None):
            raise ValidationError(_("Enter both times, or none."))


def filled(user: User) -> tuple[WishesForm, MailWishes]:
    """The form as it stands, and how telling goes."""
    held = addressees.wishes(web_context().pool, user.id) or MailWishes(
        user.role in WANTED_BY, None, None, time_zone.name()
    )
    zone = held.zone if held.quiet_begin is not None else time_zone.name()
    return WishesForm(
        formdata=None, wanted=held.wanted, quiet_begin=held.quiet_begin, quiet_end=held.quiet_end, zone=zone
    ), held


def zones() -> list[str]:
    """Names that can be chosen, as far as they are a place's."""
    return [*sorted(one for one in available_timezones() if "/" in one and not one.startswith("Etc/")), "UTC"]


@portal.post("/account/wishes")
@needs(ANYONE)
def change_wishes() -> Response:
    form, user = WishesForm(), current_user.user
    if not form.validate_on_submit():
        for errors in form.errors.values():
            flash(" ".join(str(one) for one in errors), "danger")
        return _back()
    begin: time | None = form.quiet_begin.data
    wanted = MailWishes(form.wanted.data, begin, form.quiet_end.data, ZoneInfo(form.zone.data).key)
    addressees.wish(web_context().pool, user.id, user.tenant_id, wanted)
    flash(_("It is done as you wish from now on."), "success")
    return _back()


@portal.post("/account/wishes/test")
@needs(ANYONE)
def test_mail() -> Response:
    """At once, also in quiet hours: whoever asks is awake."""
    limits.test_message()
    user = current_user.user
    held = _held(user)
    if web_context().mail is not None and must_confirm(user.tenant_id, confirmed=held.confirmed):
        flash(_("Confirm your address first: a test goes to an address that was confirmed."), "warning")
        return _back()
    page = f"{web_context().public_url.rstrip('/')}/portal/account"
    text = _("This is a test: e-mail of the relay reaches you. Nothing is wrong.") + f"\n\n{page}\n"
    if _sent(user, held.addressee_id or "", Digest(_("Relay: a test"), text), "test"):
        flash(_("The mail server has taken a test to %(email)s.", email=user.email), "success")
    return _back()


@portal.post("/account/wishes/confirm")
@needs(ANYONE)
def send_confirming_mail() -> Response:
    """Once more, where the first one was lost or its link has ended; no oftener than addresses may be asked."""
    limits.test_message()
    user = current_user.user
    held = _held(user)
    if not must_confirm(user.tenant_id, confirmed=held.confirmed):
        flash(_("Your address is confirmed already."), "success")
    elif web_context().mail is None:
        flash(str(NO_SERVER), "warning")
    else:
        _ask(user, held.addressee_id or "")
    return _back()


def _held(user: User) -> MailWishes:
    """What is kept of a person; from now on, where nothing was yet."""
    whole = web_context().pool
    held = addressees.wishes(whole, user.id)
    if held is None:
        addressees.wish(whole, user.id, user.tenant_id, MailWishes(user.role in WANTED_BY, None, None, "UTC"))
        held = addressees.wishes(whole, user.id)
    if held is None:
        raise ApiError(404, "not_found", "there is no such account any more")
    return held


def _ask(user: User, addressee_id: str) -> None:
    whole = web_context().pool  # an address is asked seldom, whichever tenant enters it
    reserved = confirming.reserve(whole, web_context().signers, user.tenant_id or "", user.email)
    if reserved is None:
        flash(
            _("No further mail can be sent now: an address is asked once a day, and three times a month at most."),
            "warning",
        )
        return
    links = mail_links()
    confirm, leave = links.confirm(addressee_id, user.email), links.leave(addressee_id, user.email)
    text = question(web_context().public_url, confirm, leave, say=translated)
    if _sent(user, addressee_id, text, "confirm"):
        confirming.asked(whole, addressee_id)
        said = _(
            "Open the link in the mail to %(email)s within %(hours)s hours.", email=user.email, hours=CONFIRM_HOURS
        )
        flash(said, "success")
    else:
        confirming.release(whole, reserved)


def mail_links() -> MailLinks:
    return MailLinks(web_context().signers, web_context().public_url)


def _sent(user: User, addressee_id: str, text: Digest, name: str) -> bool:
    """False: it is said why not."""
    server: MailServer | None = web_context().mail
    if server is None:
        flash(str(NO_SERVER), "warning")
        return False
    leave = mail_links().leave(addressee_id, user.email)
    try:
        server.send(Mail(user.email, text.subject, text.text, f"<{name}-{uuid4()}@{_host()}>", leave))
    except SendError as error:
        flash(_("The mail was not sent: %(error)s.", error=error.text), "danger")
        return False
    return True


def _back() -> Response:
    return redirect(url_for("portal.account") + "#told")


def _host() -> str:
    return urlsplit(web_context().public_url).hostname or ""
