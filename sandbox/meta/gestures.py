"""What a finger does to a message on the phone: tapping, reacting, editing, taking back."""

from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.meta import customer
from sandbox.meta.draft import PhoneMessage
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.sample_content import contact_request, content
from sandbox.meta.thread import Thread

if TYPE_CHECKING:
    from sandbox.world import World

_ANSWERS = {
    "location_request_message": ("location", "location"),
    "flow": ("interactive", "flow"),
    "address_message": ("interactive", "address_message"),
    "call_permission_request": ("interactive", "call_permission_reply"),
}


class CannotTap(Exception):
    """Meta does not report it."""


def reply_context(number: Number, thread: Thread, message_id: str, quoted: ThreadMessage | None) -> dict[str, Any]:
    """Who wrote the quoted message, and its id. A number that the business may not see is left out."""
    if quoted is None or quoted.direction == "outbound":
        return {"from": number.digits, "id": message_id}
    return ({} if thread.phone.hide_phone else {"from": thread.phone.wa_id}) | {"id": message_id}


def tap(
    world: "World", number: Number, thread: Thread, entry: ThreadMessage, place: int, *, with_context: bool
) -> ThreadMessage:
    """Template quick replies are known to come without their context at times."""
    option = entry.options[place]
    draft = _answer(thread, entry, option)
    if with_context:
        draft.context = reply_context(number, thread, entry.id, entry)
    option["tapped"] = True
    return customer.send(world, number, thread, draft)


def _answer(thread: Thread, entry: ThreadMessage, option: dict[str, Any]) -> PhoneMessage:
    match option["kind"]:
        case "reply" | "row":
            kind = "button_reply" if option["kind"] == "reply" else "list_reply"
            names = ("id", "title", "description")
            reply = {name: option[name] for name in names if option[name] is not None}
            return PhoneMessage("interactive", option["title"], content={"type": kind, kind: reply})
        case "quick_reply":
            return PhoneMessage("button", option["title"], content={"payload": option["id"], "text": option["title"]})
        case "request":
            return _asked_for(thread, entry.shown["interactive"]["kind"])
    raise CannotTap(f"WhatsApp does not tell the business that '{option['title']}' was opened")


def _asked_for(thread: Thread, kind: str) -> PhoneMessage:
    if kind in _ANSWERS:
        wire, sample = _ANSWERS[kind]
        return PhoneMessage(wire, content=content(sample, thread))
    return PhoneMessage("contacts", content=contact_request(thread.phone))


def react(
    world: "World", number: Number, thread: Thread, entry: ThreadMessage, emoji: str, *, empty: bool
) -> ThreadMessage:
    """A removal comes without emoji, or with an empty one: both were seen."""
    reaction = {"message_id": entry.id} | ({"emoji": emoji} if emoji or empty else {})
    return customer.send(world, number, thread, PhoneMessage("reaction", emoji, content=reaction))


def edit(
    world: "World", number: Number, thread: Thread, entry: ThreadMessage, text: str, *, known: bool
) -> ThreadMessage:
    """Only numbers that a business also uses in its app are told what became of a message."""
    if not known:
        entry.edit(text)
        return customer.send(world, number, thread, PhoneMessage("unsupported", unsupported_type="edit"))
    message = {"type": entry.type, entry.type: {"body": text}}
    if entry.media is not None:
        message = {
            "type": entry.type,
            "context": {"id": "M0"},
            entry.type: entry.payload[entry.type] | {"caption": text},
        }
    changed = {"original_message_id": entry.id, "message": message}
    return customer.send(world, number, thread, PhoneMessage("edit", text, content=changed))


def revoke(world: "World", number: Number, thread: Thread, entry: ThreadMessage) -> ThreadMessage:
    return customer.send(world, number, thread, PhoneMessage("revoke", content={"original_message_id": entry.id}))
