"""`POST /{phone_number_id}/messages`: checks, limits, and the acceptance that is not yet a delivery."""

import re
from typing import TYPE_CHECKING, Any

import gevent

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.ids import BSUID, wamid
from sandbox.meta.approved import ApprovedTemplate
from sandbox.meta.departure import depart
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.errors import GraphError
from sandbox.meta.media import MediaItem
from sandbox.meta.requests import SendRequest
from sandbox.meta.routing import sending
from sandbox.meta.shown import of_request, text_of
from sandbox.meta.template import check_template
from sandbox.meta.thread import Phone
from sandbox.meta.validation import parse_read, parse_send

if TYPE_CHECKING:
    from sandbox.world import World


def accept(
    world: "World", number: Number, body: dict[str, Any], *, marketing: bool = False
) -> tuple[dict[str, Any], str, str | None]:
    """The answer, the message's id, and the caller's own reference. `marketing`: nothing but marketing templates."""
    if "status" in body and not marketing:
        return _mark_read(world, number, body)
    request = parse_send(body)
    contact, phone = _recipient(world, number, request)
    _check_direct(world, request)
    media = _check_media(world, number, request)
    approved = check_template(number, request.template, request.to is None) if request.template else None
    if marketing and (approved is None or approved.category != "MARKETING"):
        raise GraphError(131055, "Only marketing templates are sent by marketing_messages.")
    _check_limits(world, number, phone.wa_id if phone else contact["input"])
    if phone is not None:
        sending.check_send(world, number, world.phones.thread(phone, number.phone_number_id), request.type)
    entry = entry_of(world, request, phone, media, approved)
    world.stats.meta.messages[f"from_business:{request.type}"] += 1
    if phone is not None:
        thread = world.phones.thread(phone, number.phone_number_id)
        world.phones.record(entry, thread)
        thread.hold(entry)
        gevent.spawn(depart, world, number, thread, entry, request)
    sent = {"id": entry.id} | ({"message_status": "accepted"} if request.type == "template" else {})
    answer = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}
    return answer, entry.id, entry.opaque


def _mark_read(world: "World", number: Number, body: dict[str, Any]) -> tuple[dict[str, Any], str, None]:
    request = parse_read(body)
    known = world.phones.entry(request.message_id)
    if known is None or known[0].direction != "inbound" or known[1].phone_number_id != number.phone_number_id:
        raise GraphError(131009, f"Param message_id: '{request.message_id}' is not a message this number received.")
    entry, thread = known
    sending.check_signal(world, number, thread)
    for each in thread.shown:
        if each.direction == "inbound" and each.status != "read":
            each.reached("read", unix_seconds())
        if each is entry:
            break
    if request.typing_indicator is not None:
        thread.typing()
    world.stats.meta.messages["typing" if request.typing_indicator else "read"] += 1
    world.events.changed("phone", thread.phone.wa_id, thread.phone_number_id)
    return {"success": True}, request.message_id, None


def _recipient(world: "World", number: Number, request: SendRequest) -> tuple[dict[str, Any], Phone | None]:
    """`to` wins when both are given. No phone means: accepted, and never seen again."""
    if request.recipient_type == "group":
        raise GraphError(131020, "Groups need an Official Business Account.", message="(#131020) Group not available")
    if request.to is None:
        return _by_user_id(world, str(request.recipient))
    if BSUID.match(request.to):
        world.stats.finding(
            "meta", "bsuid_in_to", f"'{request.to}' in `to`: Meta answers 200 and delivers nothing; use `recipient`"
        )
        return {"input": request.to, "wa_id": request.to}, None
    digits = re.sub(r"[\s()\-.]", "", request.to)
    if not re.fullmatch(r"\+?\d{5,15}", digits):
        raise GraphError(131009, "Param to: the recipient's phone number is not valid.")
    if not digits.startswith("+"):
        world.stats.finding(
            "meta",
            "to_without_plus",
            f"'{request.to}' in `to` without plus: Meta may prepend the "
            "business's own country code and reach a stranger",
        )
    wa_id = digits.removeprefix("+")
    if wa_id == number.digits:
        raise GraphError(131021, "The recipient's number is the sender's.")
    phone = world.phones.dialled(wa_id)
    return {"input": request.to, "wa_id": phone.wa_id}, phone


def _by_user_id(world: "World", user_id: str) -> tuple[dict[str, Any], Phone | None]:
    if not BSUID.match(user_id):
        raise GraphError(131009, "Param recipient: not a business-scoped user id.")
    phone = world.phones.known(user_id)
    if phone is None:
        world.stats.finding("meta", "unknown_bsuid", f"'{user_id}' in `recipient` belongs to nobody")
    return {"input": user_id, "user_id": user_id}, phone


def _check_direct(world: "World", request: SendRequest) -> None:
    """Direct Send's own rules. Source: Meta's page on it, and clients typed from that."""
    if request.direct_send_config is not None and request.category != "utility":
        raise GraphError(100, "Param direct_send_config: only with category utility.")
    if not request.direct:
        return
    if not world.limits.meta.direct_send:
        raise GraphError(100, "Param category: Direct Send is not enabled for this business portfolio.")
    if request.category == "authentication" and (request.type != "text" or request.to is None):
        raise GraphError(100, "Param category: authentication takes a text to a phone number.")
    dialogue = request.type == "interactive" and request.content.type in ("button", "cta_url")
    if request.type != "text" and not dialogue:
        raise GraphError(100, f"Param category: messages of type {request.type} cannot be sent directly.")
    if request.type == "text" and request.content.preview_url:
        raise GraphError(100, "Param text['preview_url']: Direct Send shows no link preview.")


def _check_media(world: "World", number: Number, request: SendRequest) -> MediaItem | None:
    kind, file = request.file or ("", None)
    if file is None or file.id is None:
        return None
    item = world.media.get(file.id)
    if item is None or item.phone_number_id != number.phone_number_id:
        raise GraphError(
            100,
            f"Param {kind}['id']: media {file.id} does not exist, has expired or belongs to another phone number.",
            subcode=33,
        )
    return item


def _check_limits(world: "World", number: Number, recipient: str) -> None:
    limits = world.limits.meta
    if limits.number_per_second and world.buckets.take(
        f"number:{number.phone_number_id}", max(1, limits.number_per_second), limits.number_per_second
    ):
        raise GraphError(130429, "Cloud API message throughput has been reached.")
    if limits.pair_burst and world.buckets.take(
        f"pair:{number.phone_number_id}:{recipient}", limits.pair_burst, 1 / limits.pair_seconds
    ):
        raise GraphError(
            131056, "Too many messages sent from this phone number to the same phone number in a short period of time."
        )


def entry_of(
    world: "World",
    request: SendRequest,
    phone: Phone | None,
    media: MediaItem | None,
    approved: ApprovedTemplate | None,
) -> ThreadMessage:
    shown = of_request(request, approved)
    quoted = world.phones.entry(request.context.message_id) if request.context else None
    return ThreadMessage(
        wamid(phone.wa_id if phone else "0", inbound=False),
        "outbound",
        request.type,
        unix_seconds(),
        origin="api",
        text=text_of(request, shown),
        payload={request.type: request.model_dump(exclude_none=True)[request.type]},
        media=media,
        context=request.context.model_dump() if request.context else None,
        quoted=quoted[0].quote() if quoted else None,
        about=request.reaction.message_id if request.reaction else None,
        opaque=request.biz_opaque_callback_data,
        addressed_by="user_id" if request.to is None else "wa_id",
        category=approved.category.lower() if approved else request.category or "service",
        shown=shown,
    )
