"""Webhooks that there are only with Conversation Routing: messaging_handovers and standby.

Shapes: webhooks/reference/messaging-handovers (22 September 2026) and /standby (4 August 2026) of Meta's Cloud API, and
conversation-routing/conversation-context.
"""

from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.meta import payloads
from sandbox.meta.posting import post
from sandbox.meta.thread import Thread
from sandbox.webhooks.update import DeliveryState

if TYPE_CHECKING:
    from sandbox.world import World

RECAP_ITEMS = 20


def handover(
    world: "World", number: Number, thread: Thread, kind: str, content: dict[str, Any], merged: dict[str, Any]
) -> DeliveryState:
    """`kind`: control_passed or control_taken. `merged` replaces fields of the value; null takes one away."""
    value = {
        "messaging_product": "whatsapp",
        **({} if thread.phone.hide_phone else {"sender": {"phone_number": thread.phone.wa_id}}),
        "recipient": {"phone_number_id": number.phone_number_id, "display_phone_number": number.digits},
        "type": kind,
        "timestamp": str(unix_seconds()),
        kind: {name: each for name, each in content.items() if each is not None},
    }
    value = {name: each for name, each in (value | merged).items() if each is not None}
    world.stats.meta.messages[kind] += 1
    payload = payloads.whole(number, "messaging_handovers", value)
    return post(world, number, thread, "messages", str(unix_seconds()), payload)


def standby(
    world: "World", number: Number, thread: Thread, stamp: str, content: dict[str, Any], on_delivered: Any = None
) -> DeliveryState:
    value = _value(number) | {"standby": content}
    payload = payloads.whole(number, "standby", value)
    return post(world, number, thread, "standby", stamp, payload, on_delivered)


def message(
    world: "World",
    number: Number,
    thread: Thread,
    message: dict[str, Any],
    contact: dict[str, Any] | None,
    recap: dict[str, Any] | None,
    on_delivered: Any,
) -> DeliveryState:
    value = _value(number) | ({"contacts": [contact]} if contact else {}) | {"messages": [message]}
    if recap is not None:
        value["conversation_context"] = recap
    payload = payloads.whole(number, "messages", value)
    return post(world, number, thread, "messages", message["timestamp"], payload, on_delivered)


def recap_of(thread: Thread, kind: str | None, text: str | None = None) -> dict[str, Any] | None:
    """What Meta's model says about the thread so far; nothing where there is nothing to tell."""
    said = [each for each in thread.shown if each.text and each.about is None][-RECAP_ITEMS:]
    if kind is None or not (text or said):
        return None
    if kind == "history":
        items = [{"role": _role(each), "text": each.text, "timestamp": str(each.timestamp)} for each in said]
        return {"type": "history", "history": {"items": items}}
    summary = text or f"{len(said)} messages so far. The newest: {said[-1].text}"
    return {"type": "summary", "summary": {"text": summary}}


def _role(entry: Any) -> str:
    return "user" if entry.direction == "inbound" else "assistant"


def _value(number: Number) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": payloads.metadata(number)}
