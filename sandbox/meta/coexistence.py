"""What reaches a relay past its own messages: answers from the business's own phone, and calls.

Shapes: webhooks/reference/smb_message_echoes and /calls of Meta's Cloud API.
"""

from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.ids import call_id, wamid
from sandbox.meta import carrier, customer, payloads
from sandbox.meta.draft import PhoneMessage
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.message import media_content, sender
from sandbox.meta.routing import delivery
from sandbox.meta.shown import of_message
from sandbox.meta.thread import Thread

if TYPE_CHECKING:
    from sandbox.world import World

_SDP = "v=0\r\no=- 7669997803033704573 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"


def echo(world: "World", number: Number, thread: Thread, draft: PhoneMessage) -> ThreadMessage:
    """It neither opens nor prolongs the time in which the API may answer."""
    phone, timestamp = thread.phone, draft.timestamp or unix_seconds()
    media = customer.store(world, number, draft)
    content = media_content(world, draft, media) if media else draft.content or {"body": draft.text or ""}
    item: dict[str, Any] = {
        "from": number.digits,
        **({} if phone.hide_phone else {"to": phone.wa_id}),
        "to_user_id": phone.user_id,
        "id": wamid(phone.wa_id, inbound=False),
        "timestamp": str(timestamp),
        "type": draft.type,
        draft.type: content,
    }
    entry = ThreadMessage(item["id"], "outbound", draft.type, timestamp, text=draft.text, payload={draft.type: content})
    entry.origin, entry.media, entry.shown = "app", media, of_message(item)
    entry.reached("delivered", timestamp)
    _show(world, number, thread, entry, "message_echoes", item, "smb_message_echoes")
    return entry


def call(world: "World", number: Number, thread: Thread, event: str) -> ThreadMessage:
    """A user calls, or hangs up. Calling opens the time in which the business may write."""
    now = unix_seconds()
    ringing = (
        next((each for each in reversed(thread.shown) if each.type == "call"), None) if event != "connect" else None
    )
    known = ringing.id if ringing else call_id(thread.phone.wa_id)
    item = sender(thread.phone) | {
        "id": known,
        "to": number.digits,
        "event": event,
        "timestamp": str(now),
        "direction": "USER_INITIATED",
    }
    if event == "connect":
        item["session"] = {"sdp_type": "offer", "sdp": _SDP}
        thread.heard(now)
    else:
        item["status"] = "FAILED"
    entry = ThreadMessage(known, "inbound", "call", now, text="Missed call" if event == "terminate" else "Call")
    _show(world, number, thread, entry, "calls", item, "calls")
    return entry


def _show(
    world: "World", number: Number, thread: Thread, entry: ThreadMessage, kind: str, item: dict[str, Any], field: str
) -> None:
    thread.show(entry)
    world.phones.record(entry, thread)
    world.stats.meta.messages[kind] += 1
    contact = payloads.contact(thread.phone)
    if field == "calls" and not delivery.hears_calls(world, number):
        entry.track = delivery.elsewhere()
    else:
        entry.track = carrier.emit(world, number, thread, kind, item, contact, field=field)
    world.events.changed("phone", thread.phone.wa_id, thread.phone_number_id)
