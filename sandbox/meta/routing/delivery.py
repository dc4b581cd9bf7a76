"""Who hears of what a user does, and of what another responder writes."""

from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.routing import webhooks
from sandbox.meta.routing.settings import APP, AT_ENTRY, EntryPoint, Responder, Routing
from sandbox.meta.thread import Thread
from sandbox.webhooks.update import DeliveryState

if TYPE_CHECKING:
    from sandbox.world import World

_BY_CATEGORY: dict[str, EntryPoint] = {"marketing": "marketing", "utility": "utility"}


def concerns(world: "World", number: Number, message: dict[str, Any], field: str) -> bool:
    """Groups, and what is sent under another field by hand, are not routed."""
    return world.routing.of(number).on and field == "messages" and "group_id" not in message


def deliver(
    world: "World",
    number: Number,
    thread: Thread,
    entry: ThreadMessage,
    message: dict[str, Any],
    contact: dict[str, Any] | None,
    on_delivered: Any,
) -> DeliveryState:
    """Gives the thread an owner where it needs one, and the message to whoever may have it."""
    routing = world.routing.of(number)
    idle = thread.ownership.owner is None
    receiver = _receiver(routing, thread, entry, message)
    if receiver != APP:
        if not routing.standby:
            return elsewhere()
        content = {"messages": [message]} | ({"contacts": [contact]} if contact else {})
        return webhooks.standby(world, number, thread, message["timestamp"], content, on_delivered)
    recap = _recap(routing, thread, idle and thread.ownership.owner is not None)
    return webhooks.message(world, number, thread, message, contact, recap, on_delivered)


def others_status(world: "World", number: Number, thread: Thread, status: dict[str, Any]) -> DeliveryState:
    if not world.routing.of(number).standby:
        return elsewhere()
    return webhooks.standby(world, number, thread, status["timestamp"], {"statuses": [status]})


def others_message(
    world: "World", number: Number, thread: Thread, entry: ThreadMessage, body: dict[str, Any]
) -> DeliveryState:
    """`body`: as its writer sent it to Meta."""
    if not world.routing.of(number).standby:
        return elsewhere()
    stamp = str(entry.timestamp)
    echo = {"id": entry.id, "timestamp": stamp, "message": body}
    return webhooks.standby(world, number, thread, stamp, {"message_echoes": [echo]})


def hears_calls(world: "World", number: Number) -> bool:
    routing = world.routing.of(number)
    return not routing.on or routing.primary["calls"] == APP


def _receiver(routing: Routing, thread: Thread, entry: ThreadMessage, message: dict[str, Any]) -> Responder:
    ownership = thread.ownership
    if entry.type == "system":
        return ownership.owner or routing.primary["service"]
    if "call_permission_reply" in (message.get("interactive") or {}):
        return routing.primary["calls"]
    point, at_once = _entry_point(thread, entry, message)
    receiver = ownership.owner
    if receiver is None or at_once:
        receiver = routing.primary[point]
        ownership.give(receiver, AT_ENTRY[point] if receiver == APP else "ai_agent")
    ownership.heard(entry.timestamp)
    return receiver


def _entry_point(thread: Thread, entry: ThreadMessage, message: dict[str, Any]) -> tuple[EntryPoint, bool]:
    """Where the message came from, and whether that routes the thread anew although somebody owns it."""
    if "referral" in message:
        return "ctwa", True
    template = _answered_template(thread, entry)
    point = _BY_CATEGORY.get(template.category) if template else None
    return (point, entry.type == "button") if point else ("service", False)


def _answered_template(thread: Thread, entry: ThreadMessage) -> ThreadMessage | None:
    """The one that is quoted; else the newest of the business's messages, if that is a template."""
    sent = [each for each in thread.shown if each.direction == "outbound" and each.about is None]
    asked = next((each for each in sent if each.id == entry.replies_to), None) if entry.replies_to else None
    found = asked or (sent[-1] if sent else None)
    return found if found and found.type == "template" else None


def _recap(routing: Routing, thread: Thread, began: bool) -> dict[str, Any] | None:
    """Only for who does not hear of others' threads anyway."""
    wanted = routing.recap_on_messages == "every" or (routing.recap_on_messages == "first" and began)
    return webhooks.recap_of(thread, routing.recap) if wanted and not routing.standby else None


def elsewhere() -> DeliveryState:
    return DeliveryState(state="another responder's")
