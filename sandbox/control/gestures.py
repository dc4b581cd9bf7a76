"""`/control/phone/...`: what a customer does to messages and to the phone itself, and calls and echoes."""

from typing import Any

from flask import Blueprint, Response, jsonify

from sandbox.accounts import Number
from sandbox.control import errors, forms
from sandbox.control.drafts import draft_of
from sandbox.control.errors import ControlError
from sandbox.control.phone import digits, number_of, phone_at, settings_of
from sandbox.ids import BSUID
from sandbox.meta import coexistence, gestures, moving
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.gestures import CannotTap
from sandbox.meta.thread import Thread
from sandbox.world_access import current

blueprint = Blueprint("control_gestures", __name__, url_prefix="/control/phone")
errors.register(blueprint)
Created = tuple[Response, int]


@blueprint.post("/taps")
def tap() -> Created:
    fields = forms.body()
    number, thread, entry = _message(fields)
    if entry.direction != "outbound" or entry.deleted or entry not in thread.shown:
        raise ControlError("the phone does not show this message of the business")
    place = _place(entry, fields.get("option", 0))
    try:
        sent = gestures.tap(current(), number, thread, entry, place, with_context=fields.get("context") is not False)
    except CannotTap as reason:
        raise ControlError(str(reason)) from None
    return _created(sent)


@blueprint.post("/reactions")
def react() -> Created:
    fields = forms.body()
    number, thread, entry = _message(fields)
    emoji = forms.text_field(fields, "emoji") or ""
    return _created(gestures.react(current(), number, thread, entry, emoji, empty=bool(fields.get("empty"))))


@blueprint.post("/edits")
def edit() -> Created:
    fields = forms.body()
    number, thread, entry = _own_message(fields)
    text, known = forms.required(fields, "text"), fields.get("as") != "unsupported"
    return _created(gestures.edit(current(), number, thread, entry, text, known=known))


@blueprint.post("/revocations")
def revoke() -> Created:
    number, thread, entry = _own_message(forms.body())
    return _created(gestures.revoke(current(), number, thread, entry))


@blueprint.post("/echoes")
def echo() -> Created:
    """The business answers from its own phone."""
    fields = forms.body()
    number, thread = _chat(fields)
    return _created(coexistence.echo(current(), number, thread, draft_of(fields, number, thread)))


@blueprint.post("/calls")
def call() -> Created:
    fields = forms.body()
    number, thread = _chat(fields)
    event = fields.get("event", "connect")
    if event not in ("connect", "terminate"):
        raise ControlError("event must be connect or terminate")
    return _created(coexistence.call(current(), number, thread, event))


@blueprint.post("/<address>/number")
def change_number(address: str) -> Response:
    fields = forms.body()
    phone, wa_id = phone_at(address), digits(forms.required(fields, "wa_id"))
    known = current().phones.known(wa_id)
    if known is not None and not known.gone:
        raise ControlError(f"{wa_id} is another customer's number")
    moving.change_number(current(), phone, wa_id, _user_id(fields), silent=bool(fields.get("silent")))
    return settings_of(phone)


@blueprint.post("/<address>/user_id")
def change_user_id(address: str) -> Response:
    fields = forms.body()
    phone = phone_at(address)
    moving.change_user_id(current(), phone, _user_id(fields), silent=bool(fields.get("silent")))
    return settings_of(phone)


def _user_id(fields: dict[str, Any]) -> str | None:
    given = forms.text_field(fields, "user_id")
    if given and not BSUID.match(given):
        raise ControlError(f"'{given}' is not a business-scoped user id (DE.123...)")
    return given


def _message(fields: dict[str, Any]) -> tuple[Number, Thread, ThreadMessage]:
    known = current().phones.entry(forms.required(fields, "id"))
    address = forms.text_field(fields, "from")
    if known is None or (address and known[1].phone is not phone_at(address)):
        raise ControlError("no message with this id on this phone", 404)
    entry, thread = known
    return number_of(thread.phone_number_id), thread, entry


def _own_message(fields: dict[str, Any]) -> tuple[Number, Thread, ThreadMessage]:
    number, thread, entry = _message(fields)
    if entry.direction != "inbound":
        raise ControlError("only the customer's own messages can be edited or taken back")
    return number, thread, entry


def _chat(fields: dict[str, Any]) -> tuple[Number, Thread]:
    number = number_of(fields.get("to"))
    return number, current().phones.thread(phone_at(forms.required(fields, "from")), number.phone_number_id)


def _place(entry: ThreadMessage, option: Any) -> int:
    """By number or by title."""
    titles = [each["title"] for each in entry.options]
    if isinstance(option, int) and not isinstance(option, bool) and 0 <= option < len(titles):
        return option
    if option in titles:
        return titles.index(option)
    raise ControlError(f"the message has no option {option!r}: {', '.join(titles) or 'it has none'}")


def _created(entry: ThreadMessage) -> Created:
    return jsonify(id=entry.id), 201
