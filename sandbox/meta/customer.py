"""A customer writes: the message appears on the phone at once and goes to the business by webhook."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.ids import wamid
from sandbox.meta import payloads
from sandbox.meta.carrier import emit
from sandbox.meta.media import WEBHOOK_DAYS, MediaItem, base_type
from sandbox.meta.thread import Entry, Thread

if TYPE_CHECKING:
    from sandbox.world import World

MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")


@dataclass
class File:
    data: bytes
    mime_type: str
    filename: str | None = None


@dataclass
class Draft:
    """What the customer wants to send, before Meta has made a message of it."""

    type: str
    text: str | None = None
    file: File | None = None
    message: dict[str, Any] = field(default_factory=dict)
    timestamp: int | None = None


def send(world: "World", number: Number, thread: Thread, draft: Draft) -> Entry:
    timestamp = draft.timestamp or unix_seconds()
    media = _store(world, number, draft)
    message = _message(world, thread, draft, media, timestamp)
    content = message.get(message["type"])
    entry = Entry(
        message["id"],
        "inbound",
        message["type"],
        timestamp,
        text=_shown_text(draft, content),
        payload={message["type"]: content},
        media=media,
        context=message.get("context"),
    )
    entry.reached("sent", timestamp)
    thread.show(entry)
    thread.last_from_user = max(thread.last_from_user, timestamp)
    world.phones.record(entry, thread)
    _count(world, number, draft)

    def delivered() -> None:
        if entry.status == "sent":
            entry.reached("delivered", unix_seconds())

    contact = None if message["type"] == "system" else payloads.contact(thread.phone)
    entry.track = emit(world, number, thread, "messages", message, contact, delivered)
    world.events.changed("phone", thread.phone.wa_id, thread.phone_number_id)
    return entry


def _count(world: "World", number: Number, draft: Draft) -> None:
    world.stats.meta.messages[f"from_customer:{draft.type}"] += 1
    limits = world.limits.meta
    if limits.count_inbound and limits.number_per_second:
        world.buckets.take(
            f"number:{number.phone_number_id}", limits.number_per_second, limits.number_per_second, force=False
        )


def _store(world: "World", number: Number, draft: Draft) -> MediaItem | None:
    if draft.file is None:
        return None
    blob = world.blobs.add(draft.file.data)
    return world.media.add(number.phone_number_id, draft.file.mime_type, blob, draft.file.filename, WEBHOOK_DAYS)


def _message(world: "World", thread: Thread, draft: Draft, media: MediaItem | None, timestamp: int) -> dict[str, Any]:
    phone = thread.phone
    message: dict[str, Any] = {} if phone.hide_phone else {"from": phone.wa_id}
    message |= {
        "from_user_id": phone.user_id,
        "id": wamid(phone.wa_id, inbound=True),
        "timestamp": str(timestamp),
        "type": draft.type,
    }
    if media is not None:
        message[draft.type] = _media_content(world, draft, media)
    elif draft.type == "text":
        message["text"] = {"body": draft.text or ""}
    elif draft.type == "unsupported":
        message |= {
            "errors": [
                {
                    "code": 131051,
                    "title": "Message type unknown",
                    "message": "Message type unknown",
                    "error_data": {"details": "Message type is currently not supported."},
                }
            ],
            "unsupported": {"type": "poll_creation"},
        }
    return message | draft.message


def _media_content(world: "World", draft: Draft, media: MediaItem) -> dict[str, Any]:
    url = f"{world.url}/lookaside/whatsapp_business/attachments/?{world.media.url_query(media)}"
    content = payloads.media_object(media, url)
    if draft.type == "document" and media.filename:
        content["filename"] = media.filename
    if draft.type == "audio":
        content["voice"] = base_type(media.mime_type) == "audio/ogg"
    if draft.type == "sticker":
        content["animated"] = False
    if draft.text and draft.type in ("image", "video", "document"):
        content["caption"] = draft.text
    return content


def _shown_text(draft: Draft, content: Any) -> str | None:
    """One line for the page and for tests, whatever the type."""
    if draft.text is not None:
        return draft.text
    if not isinstance(content, dict):
        return None
    answer = content.get("button_reply") or content.get("list_reply") or content
    return next(
        (
            str(answer[key])
            for key in ("body", "title", "text", "emoji", "name", "address", "caption")
            if answer.get(key)
        ),
        None,
    )
