"""`thread_control`, its twin of the Business Agent's API, and the roles on a number."""

from typing import Annotated, Any, Literal

from flask import request

from sandbox.accounts import Number
from sandbox.gateway import ProviderAnswer
from sandbox.ids import BSUID, request_id
from sandbox.meta.errors import GraphError
from sandbox.meta.routing import control
from sandbox.meta.routing.control import Handover
from sandbox.meta.routing.settings import APP, Role
from sandbox.meta.strict import Filled, MetaObject, maybe_up_to
from sandbox.meta.thread import Thread
from sandbox.meta.validation import parse
from sandbox.world_access import current

METADATA_LENGTH = 2_000
TWIN_VERSION = "1.0.0"


class ControlPass(MetaObject):
    target_role: Role | None = None


class ThreadControlRequest(MetaObject):
    messaging_product: Literal["whatsapp"]
    to: Filled | None = None
    recipient: Filled | None = None
    action: Literal["pass", "release", "take"]
    metadata: Annotated[str, maybe_up_to(METADATA_LENGTH)] | None = None
    control_pass: ControlPass | None = None


def thread_control(number: Number, body: dict[str, Any], *, twin: bool = False) -> ProviderAnswer:
    """`twin`: as the Business Agent's reference has it, which passes to the agent only."""
    world, given = current(), parse(ThreadControlRequest, body)
    if twin and request.headers.get("X-API-Version") != TWIN_VERSION:
        raise GraphError(100, f"The header X-API-Version must be {TWIN_VERSION}.")
    _check(given)
    target = given.control_pass.target_role if given.control_pass else None
    if twin and target not in (None, "ai_agent"):
        raise GraphError(131009, "Param control_pass['target_role']: must be ai_agent")
    routing = world.routing.of(number)
    if not routing.on or not routing.enrolled:
        raise GraphError(10, "Thread control is not enabled for this WhatsApp Business account.")
    thread, said = _thread(number, given), Handover(given.metadata)
    match given.action:
        case "pass":
            control.pass_on(world, number, thread, APP, target, said)
        case "take":
            control.take(world, number, thread, APP, said)
        case "release":
            control.release(world, thread, APP)
    answer = {"messaging_product": "whatsapp", "request_id": request_id()}
    return ProviderAnswer(answer, message_id=answer["request_id"], reference=given.action)


def _check(given: ThreadControlRequest) -> None:
    if given.to is None and given.recipient is None:
        raise GraphError(131008, "The parameter to or recipient is required.")
    if given.to is not None and given.recipient is not None:
        raise GraphError(100, "Only one of the parameters to and recipient can be given.")
    if given.control_pass is not None and given.action != "pass":
        raise GraphError(100, f'Unexpected key "control_pass" for action "{given.action}".')


def _thread(number: Number, given: ThreadControlRequest) -> Thread:
    """Of somebody who has written or was written to: there is no thread with others."""
    phones = current().phones
    if given.recipient is not None and not BSUID.match(given.recipient):
        raise GraphError(131009, "Param recipient: not a business-scoped user id.")
    digits = (given.to or "").removeprefix("+")
    if given.to is not None and not (digits.isdigit() and 5 <= len(digits) <= 15):
        raise GraphError(131009, "Param to: the user's phone number is not valid.")
    phone = phones.known(given.recipient or digits)
    found = phones.threads_of(phone, [number.phone_number_id]) if phone is not None else []
    if not found:
        raise GraphError(100, "There is no thread with this user on this phone number.")
    return found[0]


def roles(number: Number) -> ProviderAnswer:
    """Ours only, never who owns a thread. Path and full answer are not documented: the relay must not need them."""
    routing = current().routing.of(number)
    if not routing.roles_api:
        raise GraphError(2500, message="Unknown path components: /routing_roles")
    if not routing.on:
        raise GraphError(100, "Conversation routing is not configured for this phone number.")
    return ProviderAnswer({"roles": routing.roles_of(APP), "is_standby": routing.standby})
