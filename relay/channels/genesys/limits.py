"""What Genesys Open Messaging takes, and how a message or file is made to fit.

Source: supported content profiles (25 MB), the agent's 4,000 characters (no inbound limit is
documented), request.bytes.max of the platform API (512,000 bytes).
"""

from __future__ import annotations

from dataclasses import replace

from relay.channels.http.reading import joined_once
from relay.channels.parts import numbered
from relay.channels.text import pieces
from relay.core.errors import CannotCarry
from relay.core.languages import phrase
from relay.core.lengths import units
from relay.core.messages import Media, Message

TEXT = 4000
LINK = 1500
"""Room kept for a presigned URL below a text."""
FILE = 25 * 1024 * 1024

UNKNOWN_MIME = "application/octet-stream"


def fit_media(media: Media) -> Media:
    """The file as Genesys takes it: stickers are images, what is too large becomes a link to our copy."""
    if media.size == 0:
        raise CannotCarry("media_empty", phrase("the file is empty"))
    mime = media.mime_type.partition(";")[0].strip().lower()
    if "/" not in mime:
        mime = "image/webp" if media.kind == "sticker" else UNKNOWN_MIME
    if media.kind == "link" or (media.size is not None and media.size > FILE):
        return replace(media, kind="link", mime_type=mime)
    return replace(media, kind="image" if media.kind == "sticker" else media.kind, mime_type=mime)


def fit(message: Message) -> list[Message]:
    """The message as one or more that Genesys takes. A caption belongs to the text here.

    A tapped answer is one call, whatever its length: no limit of it is documented.
    """
    if message.answer is not None and message.answer.found:
        return [message]
    media = message.media
    if media is None:
        texts = pieces(message.text or "", TEXT)
        if texts in ([], [message.text]):
            return [message]
        return numbered(message, [replace(message, text=text) for text in texts])
    text = joined_once(message.text, media.caption)
    if units(text) <= TEXT - LINK:
        return [replace(message, text=text or None, media=replace(media, caption=None))]
    bare = replace(message, text=None, media=replace(media, caption=None))
    rest = [replace(message, text=piece, media=None, reply_to=None) for piece in pieces(text, TEXT)]
    return numbered(message, [bare, *rest])
