"""`/control/phone`: what a customer does, and what a customer sees."""

import heapq
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.control import errors, forms
from sandbox.control.drafts import draft_of
from sandbox.control.errors import ControlError
from sandbox.meta import carrier, customer
from sandbox.meta.thread import Phone, Thread
from sandbox.world_access import current

blueprint = Blueprint("control_phone", __name__, url_prefix="/control/phone")
errors.register(blueprint)


class PhoneSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    online: bool | None = None
    read_receipts: bool | None = None
    reads_automatically: bool | None = None
    chat_open: bool | None = None
    fail_code: int | None = None
    name: str | None = None
    username: str | None = None
    user_id: str | None = None
    hide_phone: bool | None = None
    delays_ms: dict[str, float] | None = None


@blueprint.post("/messages")
def send() -> tuple[Response, int]:
    fields = forms.body()
    many = forms.each_message(fields)
    if many is None:
        return jsonify(id=_send(fields)), 201
    return jsonify(ids=[_send(each) for each in many]), 201


def _send(fields: dict[str, Any]) -> str:
    number = number_of(fields.get("to"))
    phone = _writer(forms.required(fields, "from"))
    _apply(
        phone,
        PhoneSettings.model_validate(
            {name: fields[name] for name in ("name", "username", "user_id", "hide_phone") if name in fields}
        ),
    )
    thread = current().phones.thread(phone, number.phone_number_id)
    return customer.send(current(), number, thread, draft_of(fields, number, thread)).id


def _writer(address: str) -> Phone:
    """By number, or by user id; who has a number that was given up is somebody else."""
    phone = phone_at(address)
    if phone.gone:
        current().phones.revive(phone)
    return phone


@blueprint.get("/contacts")
def contacts() -> Response:
    wanted = request.args.get("to")
    found = [each for each in current().phones.threads() if not wanted or each.phone_number_id == wanted]
    newest = heapq.nlargest(forms.limit() or len(found), found, key=lambda each: each.last_time)
    return jsonify(contacts=[each.summary() for each in newest])


@blueprint.get("/<address>/messages")
def messages(address: str) -> Response:
    number = number_of(request.args.get("to"))
    thread = current().phones.thread(phone_at(address), number.phone_number_id)
    return jsonify(_shown(thread))


@blueprint.get("/<address>")
def settings(address: str) -> Response:
    return settings_of(phone_at(address))


@blueprint.post("/<address>")
def change(address: str) -> Response:
    fields = forms.body()
    phone = _writer(address) if {"user_id", "name"} & set(fields) else phone_at(address)
    _apply(
        phone, PhoneSettings.model_validate(fields), cleared={name for name, value in fields.items() if value is None}
    )
    for thread in _threads(phone):
        if phone.online:
            carrier.go_online(current(), thread)
        if phone.chat_open:
            carrier.open_chat(current(), thread)
        current().events.changed("phone", phone.wa_id, thread.phone_number_id)
    return settings_of(phone)


@blueprint.post("/<address>/read")
def read(address: str) -> Response:
    """Opening the chat: what the phone shows counts as read from now on."""
    number = number_of(forms.body().get("to"))
    thread = current().phones.thread(phone_at(address), number.phone_number_id)
    carrier.open_chat(current(), thread)
    return jsonify(_shown(thread))


@blueprint.post("/<address>/status")
def status(address: str) -> tuple[Response, int]:
    """Any status by hand: late ones, doubled ones, contradictory ones."""
    fields = forms.body()
    known = current().phones.entry(forms.required(fields, "id"))
    if known is None or known[0].direction != "outbound" or known[1].phone is not phone_at(address):
        raise ControlError("no message of the business with this id on this phone", 404)
    entry, thread = known
    number = current().accounts.numbers[thread.phone_number_id]
    moment = int(fields.get("timestamp") or unix_seconds())
    given = [
        {"code": 131000, "title": "Something went wrong", "details": ""} | each for each in fields.get("errors") or []
    ]
    carrier.report(current(), number, thread, entry, forms.required(fields, "status"), given, moment)
    return jsonify(entry.view()), 201


def _apply(phone: Phone, given: PhoneSettings, cleared: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    if given.user_id and given.user_id != phone.user_id:
        current().phones.rename(phone, given.user_id)
    for name, value in given.model_dump(exclude={"user_id", "delays_ms"}, exclude_none=True).items():
        setattr(phone, name, value)
    for name in cleared & {"fail_code", "username"}:
        setattr(phone, name, None)
    phone.delays_ms |= given.delays_ms or {}


def settings_of(phone: Phone) -> Response:
    return jsonify(asdict(phone))


def _shown(thread: Thread) -> dict[str, Any]:
    return thread.view(forms.limit(), current().limits.meta.service_window_hours)


def _threads(phone: Phone) -> list[Thread]:
    return current().phones.threads_of(phone, list(current().accounts.numbers))


def phone_at(address: str) -> Phone:
    known = current().phones.known(address)
    return known or current().phones.phone(digits(address))


def digits(address: str) -> str:
    digits = address.removeprefix("+")
    if not digits.isdigit() or not 5 <= len(digits) <= 15:
        raise ControlError(f"'{address}' is not a phone number (5 to 15 digits)")
    return digits


def number_of(phone_number_id: str | None) -> Number:
    numbers = current().accounts.numbers
    if phone_number_id is None:
        if not numbers:
            raise ControlError("there is no WhatsApp number", 404)
        return next(iter(numbers.values()))
    if phone_number_id not in numbers:
        raise ControlError(f"no number with phone_number_id {phone_number_id}", 404)
    return numbers[phone_number_id]
