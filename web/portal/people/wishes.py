"""What somebody is told by e-mail when something is wrong: whether, when not, and a test."""

from __future__ import annotations

from datetime import time
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

from flask import flash, redirect, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField, TimeField
from wtforms.validators import Length, Optional, ValidationError

from db.access.users import User
from db.conditions import addressees
from db.conditions.addressees import MailWishes
from relay.channels.mail import Mail
from relay.core.errors import SendError
from web.portal.frame import time_zone
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _, _l
from web.portal.wizard.forms import stripped
from web.request import limits
from web.request.context import web_context
from web.request.principal import ANYONE, needs

WANTED_BY = ("admin", "operator")
"""Who is told unless they say no."""


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
        return redirect(url_for("portal.account") + "#told")
    begin: time | None = form.quiet_begin.data
    wanted = MailWishes(form.wanted.data, begin, form.quiet_end.data, ZoneInfo(form.zone.data).key)
    addressees.wish(web_context().pool, user.id, user.tenant_id, wanted)
    flash(_("It is done as you wish from now on."), "success")
    return redirect(url_for("portal.account") + "#told")


@portal.post("/account/wishes/test")
@needs(ANYONE)
def test_mail() -> Response:
    """At once, also in quiet hours: whoever asks is awake."""
    limits.test_message()
    server, user = web_context().mail, current_user.user
    if server is None:
        flash(_("There is no mail server: the operator has to set SMTP_URL."), "warning")
    else:
        page = f"{web_context().public_url.rstrip('/')}/portal/account"
        text = _("This is a test: e-mail of the relay reaches you. Nothing is wrong.") + f"\n\n{page}\n"
        try:
            server.send(Mail(user.email, _("Relay: a test"), text, f"<test-{uuid4()}@{_host()}>"))
            flash(_("The mail server has taken a test to %(email)s.", email=user.email), "success")
        except SendError as error:
            flash(_("The test was not sent: %(error)s.", error=error.text), "danger")
    return redirect(url_for("portal.account") + "#told")


def _host() -> str:
    return web_context().public_url.rpartition("://")[2].partition("/")[0].partition(":")[0]
