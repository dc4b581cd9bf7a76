"""The test message both ways: a customer's message as it arrives and goes on, an answer until it is read."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from db.tenants import drafts
from db.tenants.onboarding import Line
from db.views import history
from db.views.history import Detail, MessageSelection
from relay.core.errors import SendError
from relay.core.status import CARRIED
from web.actions import sends
from web.api.messages.state import person_of
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.language import _, _l
from web.portal.wizard import notes
from web.portal.wizard.state import Setup, read
from web.request import data_access
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import needs

SHOWN = 6
LOOK_UP_SECONDS = 5.0
ANSWER = _l("This is a test of our new connection: your message has arrived, and this answer comes back to you.")


class TrialForm(FlaskForm):
    number = StringField(
        _l("Your phone's WhatsApp number"),
        [
            DataRequired(_l("Enter the number of a phone with WhatsApp.")),
        ],
        description=_l("With country code. The test looks for messages of this number only."),
    )
    line = SelectField(_l("Line"), validate_choice=False)

    def validate_number(self, field: StringField) -> None:
        try:
            person_of(dialled(field.data or ""))
        except ApiError:
            raise ValidationError(_("Enter the number with its country code, such as +49 151 12345678.")) from None


def dialled(number: str) -> str:
    """00 before a country code is the + of many countries; other signs than digits only make it readable."""
    plain = re.sub(r"[ ()/-]", "", number)
    return "+" + plain[2:] if plain.startswith("00") else plain


class AnswerForm(FlaskForm):
    text = StringField(_l("Answer"), [DataRequired(_l("Write something.")), Length(max=1000)])


@dataclass(frozen=True, slots=True)
class Trial:
    """What was begun: on which line, with whose phone, since when."""

    line_id: str
    number: str
    to: str
    since: datetime


@portal.get("/tenants/<uuid:tenant_id>/setup/trial")
@needs("tenants:write")
def trial(tenant_id: object) -> ResponseReturnValue:
    """The page; a script asks for its part that lives."""
    held = read()
    live = _live(held)
    if not live:
        flash(_("There is no line that is live yet: go live first."), "warning")
        return redirect(url_for("portal.setup", tenant_id=tenant().id, step="review"))
    begun = _begun(live)
    if request.headers.get("X-Fragment") == "1":
        return _live_part(begun) if begun else ""
    return _page(held, TrialForm(None), begun)


@portal.post("/tenants/<uuid:tenant_id>/setup/trial")
@needs("tenants:write")
def begin_trial(tenant_id: object) -> ResponseReturnValue:
    held, form = read(), TrialForm()
    if request.form.get("do") == "again":
        notes.trial(None)
        return _to_trial()
    line = next((one for one in _live(held) if one.id == form.line.data), None) or next(iter(_live(held)), None)
    if line is None or not form.validate_on_submit():
        return _page(held, form, None), 400
    digits = person_of(dialled(form.number.data or "")).address
    notes.trial({"line": line.id, "number": digits, "to": _name_of(held, line), "since": time.time()})
    return _to_trial()


@portal.post("/tenants/<uuid:tenant_id>/setup/trial/answer")
@needs("messages:send")
def answer_trial(tenant_id: object) -> ResponseReturnValue:
    form, begun = AnswerForm(), _begun(_live(read()))
    if begun is None:
        return _to_trial()
    if not form.validate_on_submit() or not (form.text.data or "").isprintable():
        flash(_("The answer needs a text of up to 1000 characters."), "danger")
        return _to_trial()
    wanted = sends.MessageRequest("outbound", person_of(begun.number), text=form.text.data)
    sends.send(tenant_pool(), tenant().id, begun.line_id, wanted, seconds=0)
    return _to_trial()


def _page(held: Setup, form: TrialForm, begun: Trial | None) -> str:
    live = _live(held)
    form.line.choices = {one.id: one.name or one.phone_number_id for one in live}
    return render_template(
        "portal/setup/trial.html",
        form=form,
        several=len(live) > 1,
        trial=begun,
        part=_live_part(begun) if begun else "",
        steps=held.steps(),
        stand_in=web_context().channels["whatsapp"].stand_in,
    )


def _live_part(begun: Trial) -> str:
    wanted = MessageSelection(tenant().id, line_id=begun.line_id, q=begun.number, since=begun.since)
    found = history.listed(tenant_pool(), wanted, SHOWN).items
    if found:
        conversation_id = found[0].conversation_id
        data_access.record_once(tenant().id, ("conversation", conversation_id), "conversation.viewed", conversation_id)
    details = [history.get(tenant_pool(), tenant().id, one.id) for one in reversed(found)]
    shown = [one for one in details if one is not None]
    return render_template(
        "portal/setup/_trial.html",
        trial=begun,
        details=shown,
        arrived=_reached(shown, "inbound", CARRIED),
        answered=_reached(shown, "outbound", ("delivered", "read")),
        heard=any(one.message.direction == "inbound" for one in shown),
        form=AnswerForm(None, text=ANSWER),
    )


def _reached(details: list[Detail], direction: str, states: tuple[str, ...]) -> bool:
    return any(one.message.direction == direction and one.message.state in states for one in details)


def _live(held: Setup) -> list[Line]:
    return [one for one in held.lines if one.status == "active"]


def _begun(live: list[Line]) -> Trial | None:
    kept: dict[str, Any] | None = drafts.get(tenant_pool(), web_context().cipher, tenant().id).values.get("trial")
    if kept is None or kept["line"] not in [one.id for one in live]:
        return None
    return Trial(kept["line"], kept["number"], kept["to"], datetime.fromtimestamp(kept["since"], UTC))


def _name_of(held: Setup, line: Line) -> str:
    """The number to write to, as WhatsApp shows it; its id where WhatsApp does not say."""
    try:
        deadline = time.monotonic() + LOOK_UP_SECONDS
        offers = web_context().channels["whatsapp"].offers(held.account("whatsapp"), deadline)
    except SendError:
        offers = held.offers("whatsapp")
    named = next((one.name for one in offers if one.ref == line.phone_number_id), "")
    return named or _("the number with the ID %(id)s", id=line.phone_number_id)


def _to_trial() -> ResponseReturnValue:
    return redirect(url_for("portal.trial", tenant_id=tenant().id))
