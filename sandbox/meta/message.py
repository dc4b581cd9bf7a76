"""Makes the webhook's message of a draft, as Meta writes it in late 2026 [Cloud API, webhooks/reference/messages]."""

from typing import TYPE_CHECKING, Any

from sandbox.ids import wamid
from sandbox.meta import payloads
from sandbox.meta.draft import PhoneMessage
from sandbox.meta.errors import title
from sandbox.meta.media import MediaItem, base_type
from sandbox.meta.thread import Phone, Thread

if TYPE_CHECKING:
    from sandbox.world import World

_DETAILS = {
    131051: "Message type is currently not supported.",
    131052: "Failed to download media from the user: the file is too big. Max size is 100 MB.",
    131060: "This message is currently unavailable: it can be seen in the WhatsApp Business app.",
}


def compose(
    world: "World", thread: Thread, draft: PhoneMessage, media: MediaItem | None, timestamp: int
) -> dict[str, Any]:
    message = sender(thread.phone) | {
        "id": wamid(thread.phone.wa_id, inbound=True),
        "timestamp": str(timestamp),
        "type": draft.type,
    }
    if draft.context:
        message["context"] = draft.context
    message |= _content(world, draft, media)
    if draft.referral is not None:
        message["referral"] = draft.referral
    return message | draft.message


def sender(phone: Phone) -> dict[str, Any]:
    """A user with a username may show no number."""
    return ({} if phone.hide_phone else {"from": phone.wa_id}) | {"from_user_id": phone.user_id}


def _content(world: "World", draft: PhoneMessage, media: MediaItem | None) -> dict[str, Any]:
    if draft.error is not None:
        return {"errors": [_error(draft.error)]}
    if draft.type == "unsupported":
        unsupported = {"unsupported": {"type": draft.unsupported_type}} if draft.unsupported_type else {}
        return {"errors": [_error(131051)]} | unsupported
    if media is not None:
        return {draft.type: media_content(world, draft, media)}
    if draft.type == "text" and draft.content is None:
        return {"text": {"body": draft.text or ""}}
    return {} if draft.content is None else {draft.type: draft.content}


def _error(code: int) -> dict[str, Any]:
    name = "Message type unknown" if code == 131051 else title(code)
    details = _DETAILS.get(code, "The sandbox was told to send this error.")
    return {"code": code, "title": name, "message": name, "error_data": {"details": details}}


def media_content(world: "World", draft: PhoneMessage, media: MediaItem) -> dict[str, Any]:
    url = f"{world.url}/lookaside/whatsapp_business/attachments/?{world.media.url_query(media)}"
    content = payloads.media_object(media, url)
    if draft.type == "document" and media.filename:
        content["filename"] = media.filename
    if draft.type == "audio":
        content["voice"] = base_type(media.mime_type) == "audio/ogg" if draft.voice is None else draft.voice
    if draft.type == "sticker":
        content["animated"] = draft.animated
    if draft.text and draft.type in ("image", "video", "document"):
        content["caption"] = draft.text
    return content
