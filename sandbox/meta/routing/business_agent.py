"""The second responder writes: what it sends appears on the phone, and goes to those in standby as an echo."""

from typing import TYPE_CHECKING, Any

import gevent

from sandbox.accounts import Number
from sandbox.meta.departure import depart
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.messages import entry_of
from sandbox.meta.routing import delivery, sending
from sandbox.meta.routing.settings import BUSINESS_AGENT
from sandbox.meta.template import check_template
from sandbox.meta.thread import Thread
from sandbox.meta.validation import parse_send

if TYPE_CHECKING:
    from sandbox.world import World


def send(world: "World", number: Number, thread: Thread, content: dict[str, Any]) -> ThreadMessage:
    """`content`: type and what belongs to it, as in a call of `/messages`. Raises GraphError as that call does."""
    phone = thread.phone
    address = {"recipient": phone.user_id} if phone.hide_phone else {"to": f"+{phone.wa_id}"}
    body = {"messaging_product": "whatsapp", "recipient_type": "individual", **address, **content}
    request = parse_send(body)
    approved = check_template(number, request.template, request.to is None) if request.template else None
    sending.check_send(world, number, thread, request.type, BUSINESS_AGENT)
    entry = entry_of(world, request, phone, None, approved)
    entry.origin = BUSINESS_AGENT
    world.stats.meta.messages["from_business_agent"] += 1
    world.phones.record(entry, thread)
    thread.hold(entry)
    entry.track = delivery.others_message(world, number, thread, entry, body)
    gevent.spawn(depart, world, number, thread, entry, request)
    return entry
