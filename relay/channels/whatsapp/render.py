"""A canonical message as the body of POST /{phone_number_id}/messages. No I/O.

Source: Meta's send-messages and *-messages pages; BSUID page of May 2026 for `recipient`.
"""

from __future__ import annotations

import mimetypes
import re
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Request
from relay.channels.reading import joined, joined_once, without_none
from relay.channels.whatsapp.identity import digits, is_bsuid
from relay.channels.whatsapp.limits import CAPTIONED, OPUS, TEXT
from relay.core.errors import CannotCarry
from relay.core.messages import Media, Message, Recipient


def phone_number_id(account: Account) -> str:
    """The line's own number; a tenant's credentials may name another of its numbers."""
    return account.line_ref or account.credentials.get("phone_number_id", "")


def render(message: Message, message_id: str, to: Recipient, account: Account, media_url: str | None) -> Request:
    """The call that sends `message`; `media_url` is where our copy of its file can be fetched."""
    kind, content = _content(message, media_url)
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **addressed(to),
        "type": kind,
        kind: content,
        "biz_opaque_callback_data": message_id,
    }
    if message.reply_to:
        body["context"] = {"message_id": message.reply_to}
    return Request("POST", f"/{quote(phone_number_id(account), safe='')}/messages", body)


def addressed(to: Recipient) -> dict[str, str]:
    """A phone number goes into `to`, with its plus; a BSUID into `recipient`.

    A BSUID in `to` is answered 200 and lost; without the plus Meta may put its own country code.
    Of somebody who never wrote only what the agent dialled is known: `genesys_address`.
    """
    user_ids = [found for found in (to.bsuid, to.wa_id, to.genesys_address) if found and is_bsuid(found)]
    phone = digits(to.wa_id) or (None if user_ids else _dialled(to.genesys_address))
    if phone:
        return {"to": f"+{phone}"}
    if user_ids:
        return {"recipient": user_ids[0]}
    raise CannotCarry("no_address", "neither phone number nor user id of the contact is known")


def _dialled(address: str) -> str | None:
    return digits(address) if re.fullmatch(r"\+?[0-9]{5,15}", address) else None


def _content(message: Message, media_url: str | None) -> tuple[str, dict[str, Any]]:
    media = message.media
    if media is None or media.kind == "link":
        return "text", _text(message, media, media_url)
    if media.caption and media.kind not in CAPTIONED:
        raise CannotCarry("caption_not_allowed", f"WhatsApp takes no text with {media.kind}")
    if media.upload_id:
        item: dict[str, Any] = {"id": media.upload_id}
    elif media_url:
        item = {"link": media_url}
    else:
        raise CannotCarry("media_not_ready", "the file was not uploaded")
    item["caption"] = media.caption
    if media.kind == "document":
        item["filename"] = media.filename or _name(media)
    if media.voice and media.mime_type == OPUS:
        item["voice"] = True
    return media.kind, without_none(item)


def _text(message: Message, media: Media | None, media_url: str | None) -> dict[str, Any]:
    if media is not None and not media_url:
        raise CannotCarry("media_not_ready", "there is no link to the file")
    link = joined((media.filename, media_url), ": ") if media else None
    body = joined((joined_once(message.text, media.caption if media else None), link))
    if not body:
        raise CannotCarry("empty", "the message has no text")
    if len(body) > TEXT:
        raise CannotCarry("text_too_long", f"WhatsApp takes {TEXT} characters")
    return {"body": body, "preview_url": False} if media else {"body": body}


def _name(media: Media) -> str:
    """The extension decides which icon the handset shows."""
    return f"file{mimetypes.guess_extension(media.mime_type) or ''}"
