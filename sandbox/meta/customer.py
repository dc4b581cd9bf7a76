"""A customer writes: the message appears on the phone at once and goes to the business by webhook."""

from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.meta import carrier, payloads
from sandbox.meta.draft import PhoneMessage
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.media import WEBHOOK_DAYS, MediaItem
from sandbox.meta.message import compose
from sandbox.meta.routing import delivery
from sandbox.meta.shown import of_message
from sandbox.meta.thread import Thread

if TYPE_CHECKING:
    from sandbox.world import World


def send(world: "World", number: Number, thread: Thread, draft: PhoneMessage) -> ThreadMessage:
    timestamp = draft.timestamp or unix_seconds()
    media = store(world, number, draft)
    message = compose(world, thread, draft, media, timestamp)
    entry = _entry(world, draft, message, media, timestamp)
    _change(world, entry, message)
    entry.reached("sent", timestamp)
    thread.show(entry)
    if entry.type != "system" and "group_id" not in message:
        thread.heard(timestamp, from_ad="referral" in message)
    world.phones.record(entry, thread)
    _count(world, number, entry.type)

    def delivered() -> None:
        if entry.status == "sent":
            entry.reached("delivered", unix_seconds())

    contact = None if entry.type == "system" else payloads.contact(thread.phone)
    if delivery.concerns(world, number, message, draft.field):
        entry.track = delivery.deliver(world, number, thread, entry, message, contact, delivered)
    else:
        entry.track = carrier.emit(world, number, thread, "messages", message, contact, delivered, draft.field)
    world.events.changed("phone", thread.phone.wa_id, thread.phone_number_id)
    return entry


def store(world: "World", number: Number, draft: PhoneMessage) -> MediaItem | None:
    if draft.file is None:
        return None
    blob = world.blobs.add(draft.file.data)
    return world.media.add(number.phone_number_id, draft.file.mime_type, blob, draft.file.filename, WEBHOOK_DAYS)


def _entry(
    world: "World", draft: PhoneMessage, message: dict[str, Any], media: MediaItem | None, timestamp: int
) -> ThreadMessage:
    content = message.get(message["type"])
    entry = ThreadMessage(
        message["id"],
        "inbound",
        message["type"],
        timestamp,
        text=_shown_text(draft, content),
        payload={message["type"]: content},
        media=media,
        context=message.get("context"),
        about=_about(content),
        errors=message.get("errors", []),
        shown=of_message(message),
    )
    quoted = world.phones.entry(entry.replies_to or "")
    entry.quoted = quoted[0].quote() if quoted else None
    return entry


def _about(content: Any) -> str | None:
    known = content if isinstance(content, dict) else {}
    return known.get("original_message_id") or known.get("message_id")


def _change(world: "World", entry: ThreadMessage, message: dict[str, Any]) -> None:
    """What a reaction, an edit or a revocation does to the message that it is about."""
    known = world.phones.entry(entry.about or "")
    if entry.type == "reaction":
        carrier.react(world, entry, "contact")
    elif known is not None and entry.type == "revoke":
        known[0].deleted = True
    elif known is not None and entry.type == "edit":
        known[0].edit(_edited_text(message))


def _edited_text(message: dict[str, Any]) -> str:
    new = message["edit"].get("message") or {}
    content = new.get(new.get("type")) or {}
    return str(content.get("body") or content.get("caption") or "")


def _count(world: "World", number: Number, kind: str) -> None:
    world.stats.meta.messages[f"from_customer:{kind}"] += 1
    limits = world.limits.meta
    if limits.count_inbound and limits.number_per_second:
        world.buckets.take(
            f"number:{number.phone_number_id}", max(1, limits.number_per_second), limits.number_per_second, force=False
        )


def _shown_text(draft: PhoneMessage, content: Any) -> str | None:
    """One line for the page and for tests, whatever the type."""
    if draft.text is not None:
        return draft.text
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return (content[0].get("name") or {}).get("formatted_name")
    if not isinstance(content, dict):
        return None
    name = content.get("type")
    answer = content.get(name) if isinstance(name, str) and isinstance(content.get(name), dict) else content
    assert isinstance(answer, dict)
    return next(
        (
            str(answer[key])
            for key in ("body", "title", "text", "emoji", "name", "address", "caption", "response")
            if answer.get(key)
        ),
        None,
    )
