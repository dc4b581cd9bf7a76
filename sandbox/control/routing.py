"""`/control/routing`: how a business has routed its conversations, and what the second responder does."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from sandbox.accounts import Number
from sandbox.control import errors, forms
from sandbox.control.errors import ControlError
from sandbox.control.phone import number_of, phone_at
from sandbox.meta.errors import GraphError
from sandbox.meta.routing import business_agent, control, webhooks
from sandbox.meta.routing.control import Handover
from sandbox.meta.routing.settings import BUSINESS_AGENT, Role
from sandbox.meta.thread import Thread
from sandbox.world_access import current

blueprint = Blueprint("control_routing", __name__, url_prefix="/control/routing")
errors.register(blueprint)


class AgentsHandover(BaseModel):
    """What the second responder asks of thread_control."""

    model_config = ConfigDict(extra="forbid")
    action: str = Field(pattern="^(pass|take|release)$")
    target_role: Role | None = None
    metadata: str | None = None
    recap: str | None = None
    value: dict[str, Any] = {}


@blueprint.get("")
def routing() -> Response:
    return _shown(number_of(request.args.get("phone_number_id")))


@blueprint.post("")
def set_routing() -> Response:
    """Of one number, or of all of an account that have none of their own."""
    fields, table = forms.body(), current().routing
    waba_id = fields.pop("waba_id", None)
    if waba_id is not None:
        numbers = current().accounts.by_waba.get(waba_id)
        if not numbers:
            raise ControlError(f"no account with waba_id {waba_id}", 404)
        table.accounts[waba_id] = table.of_account(waba_id).changed(fields)
        number = numbers[0]
    else:
        number = number_of(fields.pop("phone_number_id", None))
        table.numbers[number.phone_number_id] = table.of(number).changed(fields)
    current().events.changed("settings")
    return _shown(number)


@blueprint.delete("/<phone_number_id>")
def forget(phone_number_id: str) -> Response:
    """The number follows its account again."""
    number = number_of(phone_number_id)
    current().routing.numbers.pop(phone_number_id, None)
    current().events.changed("settings")
    return _shown(number)


@blueprint.get("/threads/<address>")
def thread(address: str) -> Response:
    number = number_of(request.args.get("to"))
    return jsonify(current().phones.thread(phone_at(address), number.phone_number_id).ownership.view())


@blueprint.post("/threads/<address>")
def hand_over(address: str) -> Response:
    """As the second responder."""
    fields = forms.body()
    number, thread = _thread(address, fields.pop("to", None))
    given = AgentsHandover.model_validate(fields)
    said = Handover(given.metadata, given.recap, given.value)
    try:
        match given.action:
            case "pass":
                control.pass_on(current(), number, thread, BUSINESS_AGENT, given.target_role, said)
            case "take":
                control.take(current(), number, thread, BUSINESS_AGENT, said)
            case "release":
                control.release(current(), thread, BUSINESS_AGENT)
    except GraphError as refused:
        raise ControlError(refused.details) from None
    return jsonify(thread.ownership.view())


@blueprint.post("/threads/<address>/messages")
def write(address: str) -> tuple[Response, int]:
    fields = forms.body()
    number, thread = _thread(address, fields.pop("to", None))
    text = fields.pop("text", None)
    content = {"type": "text", "text": {"body": text}} if isinstance(text, str) else fields
    try:
        return jsonify(id=business_agent.send(current(), number, thread, content).id), 201
    except GraphError as refused:
        raise ControlError(f"{refused.code}: {refused.details}") from None


@blueprint.post("/threads/<address>/silence")
def silence(address: str) -> Response:
    """As if the user had been silent for so many hours more: after 24 nobody owns the thread."""
    fields = forms.body()
    _, thread = _thread(address, fields.get("to"))
    hours = fields.get("hours", 24)
    if not isinstance(hours, int | float) or isinstance(hours, bool) or not 0 < hours <= 24 * 365:
        raise ControlError("hours must be a number above 0")
    thread.silent(hours)
    current().events.changed("phone", thread.phone.wa_id, thread.phone_number_id)
    return jsonify(thread.ownership.view())


@blueprint.post("/threads/<address>/standby")
def raw_standby(address: str) -> tuple[Response, int]:
    """Any content of a standby webhook, an empty one too."""
    fields = forms.body()
    number, thread = _thread(address, fields.get("to"))
    content = fields.get("standby", {})
    if not isinstance(content, dict):
        raise ControlError("standby must be an object")
    return jsonify(webhooks.standby(current(), number, thread, "0", content).view()), 201


def _thread(address: str, to: str | None) -> tuple[Number, Thread]:
    number = number_of(to)
    return number, current().phones.thread(phone_at(address), number.phone_number_id)


def _shown(number: Number) -> Response:
    table = current().routing
    owned = {"phone_number_id": number.phone_number_id, "waba_id": number.waba_id, "source": table.source(number)}
    return jsonify(owned | table.of(number).model_dump())
